// SPDX-License-Identifier: Apache-2.0
// Pillow's rules, all of which show in the bytes: weights are normalised in double and rounded to 22 bits, half away from
// zero; rows are resized before columns; between the two passes stand bytes; a side that keeps its length is left alone.
// (Pillow 13 takes columns first where the height shrinks, and by more than twice as many pixels as the width;
// tests/recipes/pillow_bytes.py holds it to that. The networks are older.)
#include "image/antialias.h"

#include <algorithm>
#include <cmath>

namespace fovea::image {

namespace {

constexpr int kWeightBits = 22;
constexpr std::int32_t kHalf = 1 << (kWeightBits - 1);

/// The source positions a target position is made of.
struct Window {
  int first = 0, count = 0;
  std::size_t weights = 0;  ///< where its weights start
};

struct Windows {
  std::vector<Window> at;
  std::vector<std::int32_t> weights;
};

double kernel(Filter filter, double x) {
  x = std::abs(x);
  if (filter == Filter::Bilinear) return std::max(0.0, 1 - x);
  constexpr double a = -0.5;
  if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  return x < 2 ? (((x - 5) * x + 8) * x - 4) * a : 0;
}

Windows make_windows(int from, int to, Filter filter) {
  const double scale = static_cast<double>(from) / to, stretch = std::max(scale, 1.0), inverse = 1.0 / stretch;
  const double support = (filter == Filter::Bicubic ? 2.0 : 1.0) * stretch;
  Windows windows;
  std::vector<double> exact;
  for (int i = 0; i < to; ++i) {
    const double center = (i + 0.5) * scale;
    const int first = std::max(0, static_cast<int>(center - support + 0.5));
    const int end = std::min(from, static_cast<int>(center + support + 0.5));
    exact.clear();
    double sum = 0;
    for (int k = first; k < end; ++k) sum += exact.emplace_back(kernel(filter, (k - center + 0.5) * inverse));
    windows.at.push_back({first, end - first, windows.weights.size()});
    for (double weight : exact) {
      if (sum != 0) weight /= sum;
      windows.weights.push_back(static_cast<std::int32_t>(std::trunc(weight * (1 << kWeightBits) + (weight < 0 ? -0.5 : 0.5))));
    }
  }
  return windows;
}

/// Weights sum to one and their absolute values to less than two, so 255 * 2^23 is the most a sum can reach.
std::uint8_t to_byte(std::int32_t sum) { return static_cast<std::uint8_t>(std::clamp(sum >> kWeightBits, 0, 255)); }

Picture resize_rows(const Picture& source, int width, Filter filter) {
  const Windows windows = make_windows(source.width, width, filter);
  Picture target(width, source.height);
  for (int y = 0; y < source.height; ++y) {
    std::uint8_t* to = target.row(y);
    for (const Window& window : windows.at) {
      const std::int32_t* weights = windows.weights.data() + window.weights;
      const std::uint8_t* from = source.row(y) + 3 * window.first;
      std::int32_t sum[3] = {kHalf, kHalf, kHalf};
      for (int k = 0; k < window.count; ++k, from += 3) {
        for (int c = 0; c < 3; ++c) sum[c] += weights[k] * from[c];
      }
      for (int c = 0; c < 3; ++c) *to++ = to_byte(sum[c]);
    }
  }
  return target;
}

Picture resize_columns(const Picture& source, int height, Filter filter) {
  const Windows windows = make_windows(source.height, height, filter);
  const std::size_t row = std::size_t{3} * static_cast<std::size_t>(source.width);
  Picture target(source.width, height);
  std::vector<std::int32_t> sums(row);
  for (int y = 0; y < height; ++y) {
    const Window& window = windows.at[static_cast<std::size_t>(y)];
    std::fill(sums.begin(), sums.end(), kHalf);
    for (int k = 0; k < window.count; ++k) {
      const std::int32_t weight = windows.weights[window.weights + static_cast<std::size_t>(k)];
      const std::uint8_t* from = source.row(window.first + k);
      for (std::size_t i = 0; i < row; ++i) sums[i] += weight * from[i];
    }
    std::transform(sums.begin(), sums.end(), target.row(y), to_byte);
  }
  return target;
}

}  // namespace

Picture resample_antialiased(const Picture& source, int width, int height, Filter filter) {
  if (width == source.width) return height == source.height ? source : resize_columns(source, height, filter);
  const Picture rows = resize_rows(source, width, filter);
  return height == source.height ? rows : resize_columns(rows, height, filter);
}

}  // namespace fovea::image
