// SPDX-License-Identifier: Apache-2.0
// Two passes with 15-bit weights. Between the passes 7 fractional bits are kept, so the result is within one level
// of exact arithmetic. What is antialiased follows Pillow's arithmetic instead, see antialias.cpp.
#include "image/resample.h"

#include <algorithm>
#include <cmath>

#include "image/antialias.h"

namespace fovea::image {

namespace {

constexpr int kWeightBits = 15, kKeptBits = 7;

/// For each target position the first source position and its weights, which sum to 1 << kWeightBits.
struct Taps {
  int count = 0;                 // weights per position; unused ones are zero
  std::vector<int> first;
  std::vector<std::int32_t> weights;
};

double weight_at(Filter filter, double x) {
  x = std::abs(x);
  switch (filter) {
    case Filter::Bilinear: return std::max(0.0, 1 - x);
    case Filter::Bicubic: return x < 1 ? (1.5 * x - 2.5) * x * x + 1 : x < 2 ? ((-0.5 * x + 2.5) * x - 4) * x + 2 : 0;
    default: return x <= 0.5 ? 1 : 0;
  }
}

Taps nearest_taps(int from, int to) {
  Taps taps{1, {}, std::vector<std::int32_t>(static_cast<std::size_t>(to), 1 << kWeightBits)};
  for (int i = 0; i < to; ++i) taps.first.push_back(static_cast<int>((std::int64_t{2} * i + 1) * from / (std::int64_t{2} * to)));
  return taps;
}

/// Exact coverage of each target pixel.
double covered(double low, double high, int pixel) { return std::max(0.0, std::min(high, pixel + 1.0) - std::max(low, double(pixel))); }

Taps make_taps(int from, int to, Filter filter) {
  if (filter == Filter::Nearest || from == to) return nearest_taps(from, to);
  const double scale = static_cast<double>(from) / to;
  const double stretch = filter == Filter::Area ? std::max(scale, 1.0) : 1.0;
  const double support = stretch * (filter == Filter::Bicubic ? 2 : filter == Filter::Bilinear ? 1 : 0.5);
  Taps taps;
  taps.count = static_cast<int>(std::ceil(support)) * 2 + 1;
  taps.weights.resize(static_cast<std::size_t>(to) * static_cast<std::size_t>(taps.count));
  std::vector<double> exact(static_cast<std::size_t>(taps.count));
  for (int i = 0; i < to; ++i) {
    const double center = (i + 0.5) * scale;
    const int begin = std::max(0, static_cast<int>(std::floor(center - support)));
    const int end = std::min({from, static_cast<int>(std::ceil(center + support)), begin + taps.count});
    double sum = 0;
    for (int k = begin; k < end; ++k) {
      const double w = filter == Filter::Area ? covered(center - support, center + support, k) : weight_at(filter, (k + 0.5 - center) / stretch);
      sum += exact[static_cast<std::size_t>(k - begin)] = w;
    }
    // Rounded weights; what rounding loses goes to the largest, so flat areas stay flat.
    auto* weights = taps.weights.data() + static_cast<std::size_t>(i) * static_cast<std::size_t>(taps.count);
    std::int32_t total = 0;
    for (int k = 0; k < end - begin; ++k) {
      weights[k] = static_cast<std::int32_t>(std::lround(exact[static_cast<std::size_t>(k)] / sum * (1 << kWeightBits)));
      total += weights[k];
    }
    *std::max_element(weights, weights + (end - begin)) += (1 << kWeightBits) - total;
    // Windows at the right edge are shorter; shift them so that count taps stay inside.
    int first = begin;
    while (first > 0 && first + taps.count > from) {
      std::rotate(weights, weights + taps.count - 1, weights + taps.count);
      --first;
    }
    taps.first.push_back(first);
  }
  return taps;
}

}  // namespace

Picture resample(const Picture& source, int width, int height, Filter filter, bool antialias) {
  if (width == source.width && height == source.height) return source;
  if (antialias && (filter == Filter::Bilinear || filter == Filter::Bicubic)) return resample_antialiased(source, width, height, filter);
  const Taps across = make_taps(source.width, width, filter);
  const Taps down = make_taps(source.height, height, filter);
  // 1. Rows: u8 -> 8.7 bits (bicubic overshoots, so signed).
  const std::size_t row = std::size_t{3} * static_cast<std::size_t>(width);
  std::vector<std::int16_t> middle(row * static_cast<std::size_t>(source.height));
  for (int y = 0; y < source.height; ++y) {
    const std::uint8_t* from = source.row(y);
    std::int16_t* to = middle.data() + row * static_cast<std::size_t>(y);
    for (int x = 0; x < width; ++x) {
      const std::int32_t* weights = across.weights.data() + static_cast<std::size_t>(x) * static_cast<std::size_t>(across.count);
      const int first = across.first[static_cast<std::size_t>(x)], count = std::min(across.count, source.width - first);
      std::int32_t sum[3] = {};
      for (int k = 0; k < count; ++k) {
        for (int c = 0; c < 3; ++c) sum[c] += weights[k] * from[3 * (first + k) + c];
      }
      constexpr int kShift = kWeightBits - kKeptBits;
      for (int c = 0; c < 3; ++c) to[3 * x + c] = static_cast<std::int16_t>(std::clamp((sum[c] + (1 << (kShift - 1))) >> kShift, -32768, 32767));
    }
  }
  // 2. Columns, whole rows at a time.
  Picture target(width, height);
  std::vector<std::int32_t> sums(row);
  for (int y = 0; y < height; ++y) {
    const std::int32_t* weights = down.weights.data() + static_cast<std::size_t>(y) * static_cast<std::size_t>(down.count);
    const int first = down.first[static_cast<std::size_t>(y)], count = std::min(down.count, source.height - first);
    std::fill(sums.begin(), sums.end(), 1 << (kWeightBits + kKeptBits - 1));
    for (int k = 0; k < count; ++k) {
      if (weights[k] == 0) continue;
      const std::int16_t* from = middle.data() + row * static_cast<std::size_t>(first + k);
      for (std::size_t i = 0; i < row; ++i) sums[i] += weights[k] * from[i];
    }
    std::uint8_t* to = target.row(y);
    for (std::size_t i = 0; i < row; ++i) to[i] = static_cast<std::uint8_t>(std::clamp(sums[i] >> (kWeightBits + kKeptBits), 0, 255));
  }
  return target;
}

}  // namespace fovea::image
