// SPDX-License-Identifier: Apache-2.0
// Bilinear sampling of a plane of height x width elements at real coordinates (y, x), where integers are element
// centres. Two border rules exist in the field; both live here, so that every operator agrees with itself:
//   zero border     deformable convolutions, multi-scale deformable attention: outside corners count as 0
//   clamped border  RoIAlign and its relatives: points up to one element outside take the border element
// A NaN coordinate samples 0 under both rules.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace fovea::ops {

/// Up to four elements of a plane, index = row * width + column. Corners outside the plane are left out.
struct BilinearTaps {
  int count = 0;
  std::int64_t index[4];
  double weight[4];

  void add(std::int64_t at, double by) {
    if (by == 0) return;  // an infinite element next to the point does not count
    index[count] = at;
    weight[count++] = by;
  }
  /// Sum of weight * plane[index * stride].
  template <class T>
  double sample(const T* plane, std::int64_t stride = 1) const {
    double sum = 0;
    for (int i = 0; i < count; ++i) sum += weight[i] * static_cast<double>(plane[index[i] * stride]);
    return sum;
  }
};

/// Nothing unless -1 < y < height and -1 < x < width.
inline BilinearTaps zero_border_taps(double y, double x, std::int64_t height, std::int64_t width) {
  BilinearTaps taps;
  if (!(y > -1 && x > -1 && y < static_cast<double>(height) && x < static_cast<double>(width))) return taps;
  const double top = std::floor(y), left = std::floor(x), ly = y - top, lx = x - left;
  const std::int64_t row = static_cast<std::int64_t>(top), column = static_cast<std::int64_t>(left);
  const bool above = row >= 0, below = row + 1 < height, before = column >= 0, behind = column + 1 < width;
  if (above && before) taps.add(row * width + column, (1 - ly) * (1 - lx));
  if (above && behind) taps.add(row * width + column + 1, (1 - ly) * lx);
  if (below && before) taps.add((row + 1) * width + column, ly * (1 - lx));
  if (below && behind) taps.add((row + 1) * width + column + 1, ly * lx);
  return taps;
}

/// Nothing unless -1 <= y <= height and -1 <= x <= width; then coordinates are clamped to the plane.
inline BilinearTaps clamped_border_taps(double y, double x, std::int64_t height, std::int64_t width) {
  BilinearTaps taps;
  const double last_row = static_cast<double>(height - 1), last_column = static_cast<double>(width - 1);
  if (height < 1 || width < 1 || !(y >= -1 && x >= -1 && y <= last_row + 1 && x <= last_column + 1)) return taps;
  y = std::clamp(y, 0.0, last_row);
  x = std::clamp(x, 0.0, last_column);
  const double ly = y - std::floor(y), lx = x - std::floor(x);
  const std::int64_t first = static_cast<std::int64_t>(y) * width + static_cast<std::int64_t>(x);
  taps.add(first, (1 - ly) * (1 - lx));
  if (lx > 0) taps.add(first + 1, (1 - ly) * lx);
  if (ly > 0) taps.add(first + width, ly * (1 - lx));
  if (ly > 0 && lx > 0) taps.add(first + width + 1, ly * lx);
  return taps;
}

}  // namespace fovea::ops
