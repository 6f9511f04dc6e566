// SPDX-License-Identifier: Apache-2.0
// Lists of tensor names on a command line: "a,b", and "new=old,b" where a tensor gets another name.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "fovea/status.h"

namespace fovea::cli {

/// The names of a list, as they stand between commas. InvalidArgument for an empty name.
Result<std::vector<std::string>> parse_names(std::string_view list);

struct NameList {
  std::vector<std::string> names;               ///< as they are in the model
  std::map<std::string, std::string> renamed;   ///< old -> new, for those given as new=old
};
Result<NameList> parse_renamed_names(std::string_view list);

/// A text that may stand in a file name: letters, digits, '.', '-' and '_'.
std::string file_name_of(std::string_view text);

}  // namespace fovea::cli
