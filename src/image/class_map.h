// SPDX-License-Identifier: Apache-2.0
// Maps of class numbers as PNG files of grey levels, a level a class.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "base/check.h"
#include "fovea/task.h"

namespace fovea::image {

struct ClassMap {
  int width = 0, height = 0;
  std::vector<std::int32_t> classes;  ///< row by row
};

/// The bytes of a PNG file of one grey plane: 8 bits, or 16 where `count` classes (0: unknown) or the numbers themselves need
/// more. Numbers below 0 count from the top, so -1 becomes 255 or 65535. InvalidArgument beyond 65535.
Result<std::string> encode_class_map(const ClassMap& map, std::int64_t count);

/// Grey PNG files of any depth, each level the class it is written as; pictures of three equal planes too. InvalidModel for
/// colours and for other files.
Result<ClassMap> read_class_map(const std::filesystem::path& file, const PictureLimits& limits = {});

}  // namespace fovea::image
