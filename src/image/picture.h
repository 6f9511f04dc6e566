// SPDX-License-Identifier: Apache-2.0
// Picture: 8-bit RGB pixels, row by row. The only form in which pictures travel between image/ and task/.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace fovea::image {

using Color = std::array<std::uint8_t, 3>;  ///< red, green, blue

struct Picture {
  int width = 0, height = 0;
  std::vector<std::uint8_t> pixels;  ///< height x width x 3

  Picture() = default;
  Picture(int w, int h, Color fill = {0, 0, 0}) : width(w), height(h), pixels(std::size_t{3} * static_cast<std::size_t>(w) * static_cast<std::size_t>(h)) {
    for (std::size_t i = 0; i < pixels.size(); ++i) pixels[i] = fill[i % 3];
  }
  std::uint8_t* row(int y) { return pixels.data() + std::size_t{3} * static_cast<std::size_t>(width) * static_cast<std::size_t>(y); }
  const std::uint8_t* row(int y) const { return const_cast<Picture*>(this)->row(y); }
  bool operator==(const Picture&) const = default;
};

}  // namespace fovea::image
