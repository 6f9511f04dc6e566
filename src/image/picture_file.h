// SPDX-License-Identifier: Apache-2.0
// Headers of picture files; reading and writing whole pictures is in fovea/task.h.
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "base/check.h"
#include "fovea/task.h"

namespace fovea::image {

/// Width and height from the file's header, without decoding. A cut or damaged file is found here where the format
/// lets one.
struct PictureSize {
  const char* format = "";
  std::int64_t width = 0, height = 0;
};
Result<PictureSize> picture_size(std::span<const std::byte> bytes);

/// The bytes of a PNG file.
Result<std::string> encode_png(const Picture& picture);

}  // namespace fovea::image
