// SPDX-License-Identifier: Apache-2.0
// Picture files, with a small limit of pixels so that time goes into parsing.
#include <cstddef>
#include <cstdint>

#include "image/picture_file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static_cast<void>(fovea::image::decode_picture(std::as_bytes(std::span(data, size)), {.max_pixels = 1 << 20}).ok());
  return 0;
}
