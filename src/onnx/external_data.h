// SPDX-License-Identifier: Apache-2.0
// ExternalData: bytes of weights kept in files beside the model. A model may come from a stranger, so nothing
// outside the model's own folder is ever opened.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>

#include "base/check.h"
#include "base/file.h"

namespace fovea::onnx {

class ExternalData {
 public:
  /// `folder` empty: there is none (model given as bytes), every request is refused.
  explicit ExternalData(std::filesystem::path folder) : folder_(std::move(folder)) {}

  struct Piece {
    std::span<const std::byte> bytes;
    std::shared_ptr<const MappedFile> file;  ///< keeps the bytes mapped
  };
  /// `length` bytes at `offset` of the file `location`, a path relative to the folder. InvalidModel for absolute
  /// paths, "..", links that leave the folder and ranges beyond the file; NotFound for a missing file.
  Result<Piece> read(const std::string& location, std::int64_t offset, std::int64_t length);

 private:
  Result<std::shared_ptr<const MappedFile>> open(const std::string& location);

  std::filesystem::path folder_;
  std::map<std::string, std::shared_ptr<const MappedFile>> files_;
};

}  // namespace fovea::onnx
