// SPDX-License-Identifier: Apache-2.0
// GridSample: parameters, padding and the filters along one axis.
#include <algorithm>
#include <cmath>

#include "ops/deform/grid_sample.h"

namespace fovea::ops {

namespace {

/// Reflects between `low` and `high` until inside.
double reflected(double x, double low, double high) {
  const double span = high - low;
  if (!(span > 0) || !std::isfinite(x)) return 0;
  const double distance = std::abs(x - low), rest = std::fmod(distance, span);
  const bool even = std::fmod(std::floor(distance / span), 2) == 0;
  return even ? low + rest : high - rest;
}

struct Border {
  double low, high;  // where reflection turns
};

Border border_of(const GridSampleParams& params, std::int64_t extent) {
  const double last = static_cast<double>(extent - 1);
  return params.align_corners ? Border{0, last} : Border{-0.5, last + 0.5};
}

/// Adds the tap at whole position `at`, which padding may move or drop.
void add_tap(const GridSampleParams& params, double at, double weight, std::int64_t extent, AxisTaps& taps) {
  const double last = static_cast<double>(extent - 1);
  if (params.padding == SamplePadding::Zeros && !(at >= 0 && at <= last)) return;
  if (params.padding == SamplePadding::Reflection && (at < 0 || at > last)) {
    const Border border = border_of(params, extent);
    at = std::floor(reflected(at, border.low, border.high));
  }
  if (weight == 0) return;
  taps.index[taps.count] = static_cast<std::int64_t>(std::clamp(at, 0.0, last));
  taps.weight[taps.count++] = weight;
}

double cubic_weight(double distance) {
  constexpr double a = -0.75;
  const double d = std::abs(distance);
  return d <= 1 ? ((a + 2) * d - (a + 3)) * d * d + 1 : ((a * d - 5 * a) * d + 8 * a) * d - 4 * a;
}

}  // namespace

Result<GridSampleParams> GridSampleParams::parse(const Attributes& attributes) {
  GridSampleParams params;
  const std::string mode = attributes.get_string("mode", "linear"), padding = attributes.get_string("padding_mode", "zeros");
  if (mode == "nearest") params.mode = SampleMode::Nearest;
  else if (mode == "cubic") params.mode = SampleMode::Cubic;
  else if (mode != "linear") return invalid_model("mode: expected linear, nearest or cubic, found '", mode, "'");
  if (padding == "border") params.padding = SamplePadding::Border;
  else if (padding == "reflection") params.padding = SamplePadding::Reflection;
  else if (padding != "zeros") return invalid_model("padding_mode: expected zeros, border or reflection, found '", padding, "'");
  params.align_corners = attributes.get_int("align_corners", 0) != 0;
  return params;
}

AxisTaps grid_taps(const GridSampleParams& params, double position, std::int64_t extent) {
  AxisTaps taps;
  const bool zeros = params.padding == SamplePadding::Zeros;
  if (extent < 1 || (zeros && !(position > -4 && position < static_cast<double>(extent) + 4))) return taps;
  if (std::isnan(position)) position = 0;
  position = std::clamp(position, -0x1p40, 0x1p40);  // infinities have no fraction
  if (params.mode == SampleMode::Nearest) position = std::nearbyint(position);
  // Positions beyond the border come inside first. The cubic filter stays where it is and its taps come inside one by one,
  // as in the framework that networks with GridSample come from.
  const Border border = border_of(params, extent);
  if (!zeros && params.mode != SampleMode::Cubic && (position < border.low || position > border.high)) {
    position = params.padding == SamplePadding::Border ? std::clamp(position, 0.0, static_cast<double>(extent - 1))
                                                       : reflected(position, border.low, border.high);
  }
  const double first = std::floor(position), t = position - first;
  switch (params.mode) {
    case SampleMode::Nearest: add_tap(params, first, 1, extent, taps); break;
    case SampleMode::Linear:
      add_tap(params, first, 1 - t, extent, taps);
      add_tap(params, first + 1, t, extent, taps);
      break;
    case SampleMode::Cubic:
      for (int i = -1; i <= 2; ++i) add_tap(params, first + i, cubic_weight(i - t), extent, taps);
      break;
  }
  return taps;
}

}  // namespace fovea::ops
