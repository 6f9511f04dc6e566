// SPDX-License-Identifier: Apache-2.0
// Resize: coordinates and taps of one axis, in double. Nearest rounds coordinates to float before it chooses, so
// that a scale such as 0.33333334 finds the tie or the whole number that was meant.
#include <algorithm>
#include <cmath>

#include "ops/resize/resize_params.h"

namespace fovea::ops {

namespace {

constexpr std::int64_t kMaxOutputs = 1 << 24;

/// Where output element x lies in the input. Dividing by width / input instead of multiplying by the scale keeps
/// ratios of whole extents exact.
double original_coordinate(CoordinateMode mode, const ResizeAxis& axis, double x) {
  const double width = axis.width, input = static_cast<double>(axis.input);
  switch (mode) {
    case CoordinateMode::PytorchHalfPixel:
      if (axis.output == 1) return 0;
      [[fallthrough]];
    case CoordinateMode::HalfPixel: return (x + 0.5) * input / width - 0.5;
    case CoordinateMode::HalfPixelSymmetric: {
      // Centres the input under an output whose extent was rounded.
      const double offset = input / 2 * (1 - static_cast<double>(axis.output) / width);
      return offset + (x + 0.5) * input / width - 0.5;
    }
    case CoordinateMode::AlignCorners: return width <= 1 ? 0 : x * (input - 1) / (width - 1);
    case CoordinateMode::Asymmetric: return x * input / width;
    case CoordinateMode::TfCropAndResize: break;
  }
  const double start = axis.roi_start, end = axis.roi_end;
  return width <= 1 ? 0.5 * (start + end) * (input - 1) : start * (input - 1) + x * (end - start) * (input - 1) / (width - 1);
}

float nearest_coordinate(NearestMode mode, float x) {
  switch (mode) {
    case NearestMode::RoundPreferFloor: return x == std::floor(x) + 0.5f ? std::floor(x) : std::round(x);
    case NearestMode::RoundPreferCeil: return std::round(x);
    case NearestMode::Floor: return std::floor(x);
    case NearestMode::Ceil: break;
  }
  return std::ceil(x);
}

/// Nearest index inside the input; NaN gives 0.
std::int64_t clamped(double x, std::int64_t extent) {
  if (!(x > 0)) return 0;
  return x < static_cast<double>(extent - 1) ? static_cast<std::int64_t>(x) : extent - 1;
}

double linear_weight(double distance) { return std::max(1 - std::abs(distance), 0.0); }

double cubic_weight(double distance, double a) {
  const double d = std::abs(distance);
  if (d <= 1) return ((a + 2) * d - (a + 3)) * d * d + 1;
  return d < 2 ? ((a * d - 5 * a) * d + 8 * a) * d - 4 * a : 0;
}

/// Appends the taps around coordinate x: the filter, stretched when it has to blur, on the input repeated at its
/// borders or (exclude_outside) on what lies inside.
void append_taps(const ResizeParams& params, const ResizeAxis& axis, double x, ResizeTaps& taps) {
  const double stretch = params.antialias && axis.scale < 1 ? 1 / axis.scale : 1;
  const double support = (params.mode == ResizeMode::Linear ? 1 : 2) * stretch;
  const double margin = support + 1;  // beyond it every tap is the border element
  x = std::clamp(x, -margin, static_cast<double>(axis.input) + margin);
  const std::size_t begin = taps.index.size();
  double sum = 0;
  for (double i = std::ceil(x - support); i <= x + support; ++i) {
    const double distance = (i - x) / stretch;
    const double weight = params.mode == ResizeMode::Linear ? linear_weight(distance) : cubic_weight(distance, params.cubic_a);
    const bool inside = i >= 0 && i < static_cast<double>(axis.input);
    if (weight == 0 || (params.exclude_outside && !inside)) continue;
    const std::int64_t index = clamped(i, axis.input);
    sum += weight;
    if (taps.index.size() > begin && taps.index.back() == index) {
      taps.weight.back() += weight;
    } else {
      taps.index.push_back(index);
      taps.weight.push_back(weight);
    }
  }
  if (!params.antialias && !params.exclude_outside) return;  // the weights sum to 1 by themselves
  for (std::size_t t = begin; t < taps.weight.size(); ++t) taps.weight[t] /= sum;
}

}  // namespace

Result<ResizeTaps> make_resize_taps(const ResizeParams& params, const ResizeAxis& axis) {
  FOVEA_CHECK(axis.input > 0 && axis.output > 0);
  if (axis.output > kMaxOutputs || axis.input > kMaxOutputs) {
    return unsupported("resizing ", axis.input, " to ", axis.output, " elements; at most ", kMaxOutputs, " along one axis are supported");
  }
  ResizeTaps taps;
  const bool nearest = params.mode == ResizeMode::Nearest, crop = params.coordinates == CoordinateMode::TfCropAndResize;
  taps.identity = axis.input == axis.output;
  taps.first.push_back(0);
  for (std::int64_t o = 0; o < axis.output; ++o) {
    const double x = original_coordinate(params.coordinates, axis, static_cast<double>(o));
    if (crop && !(x >= 0 && x <= static_cast<double>(axis.input - 1))) {
      taps.outside.resize(static_cast<std::size_t>(axis.output));
      taps.outside[static_cast<std::size_t>(o)] = 1;
      taps.identity = false;
    }
    if (nearest) {
      taps.index.push_back(clamped(static_cast<double>(nearest_coordinate(params.nearest, static_cast<float>(x))), axis.input));
      taps.identity = taps.identity && taps.index.back() == o;
    } else {
      append_taps(params, axis, std::isnan(x) ? 0 : x, taps);
      taps.identity = taps.identity && static_cast<std::int64_t>(taps.index.size()) == o + 1 && taps.index.back() == o && taps.weight.back() == 1;
    }
    taps.first.push_back(static_cast<std::int64_t>(taps.index.size()));
  }
  return taps;
}

}  // namespace fovea::ops
