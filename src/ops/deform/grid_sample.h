// SPDX-License-Identifier: Apache-2.0
// GridSample as kernels see it: parameters and the taps of one axis. Coordinates run from -1 to 1 over the centres
// (align_corners) or the outer edges of the border elements.
#pragma once

#include <cstdint>

#include "base/attributes.h"
#include "base/check.h"

namespace fovea::ops {

enum class SampleMode : std::uint8_t { Nearest, Linear, Cubic };
enum class SamplePadding : std::uint8_t { Zeros, Border, Reflection };

struct GridSampleParams {
  SampleMode mode = SampleMode::Linear;
  SamplePadding padding = SamplePadding::Zeros;
  bool align_corners = false;

  static Result<GridSampleParams> parse(const Attributes& attributes);
};

/// Elements along one axis with their weights; those that padding turns into zeros are left out.
struct AxisTaps {
  int count = 0;
  std::int64_t index[4];
  double weight[4];
};

/// Position of a normalised coordinate along `extent` elements, in the coordinate's own precision: at ties of
/// nearest that decides. T is float or double.
template <class T>
double grid_position(T coordinate, std::int64_t extent, bool align_corners) {
  const T n = static_cast<T>(extent);
  return static_cast<double>(align_corners ? (coordinate + 1) / 2 * (n - 1) : ((coordinate + 1) * n - 1) / 2);
}

/// Taps for a position along an axis. NaN: no tap (zeros), else element 0; infinite: as far as the border
/// goes, under reflection element 0.
AxisTaps grid_taps(const GridSampleParams& params, double position, std::int64_t extent);

}  // namespace fovea::ops
