// SPDX-License-Identifier: Apache-2.0
// Spelling: what a node is called in the model's file, where importing gave it another operator or other attributes.
// Messages about the node use the file's words: the user can find and change those.
#pragma once

#include <string>
#include <vector>

#include "fovea/status.h"

namespace fovea::ir {

struct Spelling {
  struct Name {
    std::string attribute;  ///< here: "strides"
    std::string in_file;    ///< one attribute or several: "stride_h, stride_w"
  };
  std::string op;                ///< empty: as here
  std::vector<Name> attributes;  ///< those with another name in the file

  /// An error of a shape rule begins with the attributes that it is about ("output_height, output_width: expected .."):
  /// with the file's names for them instead.
  Status in_file_words(Status status) const;
};

}  // namespace fovea::ir
