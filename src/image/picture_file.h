// SPDX-License-Identifier: Apache-2.0
// Picture files: JPEG, PNG, BMP and PPM in, PNG out.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>

#include "base/check.h"
#include "image/picture.h"

namespace fovea::image {

struct PictureLimits {
  std::int64_t max_bytes = std::int64_t{256} << 20;    ///< of the file
  std::int64_t max_pixels = std::int64_t{100} << 20;   ///< of the picture: about 100 megapixels
};

/// Width and height from the file's header, without decoding.
struct PictureSize {
  const char* format = "";
  std::int64_t width = 0, height = 0;
};
Result<PictureSize> picture_size(std::span<const std::byte> bytes);

/// Decodes to RGB: alpha is dropped, grey becomes RGB, 16 bits become 8, a camera's rotation (EXIF) is applied.
/// The size is checked before decoding. InvalidModel for damaged or cut files and beyond the limits, Unsupported for
/// other formats.
Result<Picture> decode_picture(std::span<const std::byte> bytes, const PictureLimits& limits = {});
Result<Picture> read_picture(const std::filesystem::path& file, const PictureLimits& limits = {});

/// Writes beside the target and renames.
Status write_png(const std::filesystem::path& file, const Picture& picture);

}  // namespace fovea::image
