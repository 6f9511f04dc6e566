// SPDX-License-Identifier: Apache-2.0
// GridSample: for each grid point the taps of all axes are multiplied out once and applied to every channel.
// x [n, c, extents...], grid [n, places..., (x, y, ...)] -> y [n, c, places...]. Nearest moves elements of any type.
#include <array>
#include <cmath>
#include <complex>
#include <limits>

#include "base/checked_math.h"
#include "base/element_types.h"
#include "ops/deform/grid_sample.h"
#include "ops/widen.h"

namespace fovea::ops {

namespace {

/// Elements of a plane with weights; the product of the axes' taps.
struct PointTaps {
  std::vector<std::int64_t> offset;
  std::vector<double> weight;
};

/// The last coordinate of a point belongs to the first spatial axis.
void find_taps(const GridSampleParams& params, const Tensor& grid, std::int64_t point, const Shape& x, PointTaps& taps) {
  const int axes = x.rank() - 2;
  taps.offset.assign(1, 0);
  taps.weight.assign(1, 1.0);
  for (int a = 0; a < axes && !taps.offset.empty(); ++a) {
    const std::int64_t extent = x[a + 2], at = point * axes + (axes - 1 - a);
    const double position = grid.type() == DataType::f64 ? grid_position(grid.data<double>()[at], extent, params.align_corners)
                                                         : grid_position(grid.data<float>()[at], extent, params.align_corners);
    const AxisTaps axis = grid_taps(params, position, extent);
    PointTaps product;
    for (std::size_t i = 0; i < taps.offset.size(); ++i) {
      for (int t = 0; t < axis.count; ++t) {
        product.offset.push_back(taps.offset[i] * extent + axis.index[t]);
        product.weight.push_back(taps.weight[i] * axis.weight[t]);
      }
    }
    taps = std::move(product);
  }
}

template <class T>
T converted(double value) {
  if constexpr (std::is_integral_v<T>) {
    // Rounded, because weights that sum to one only nearly would cut 7 to 6.
    if (std::isnan(value)) return 0;
    value = std::nearbyint(value);
    if (value <= static_cast<double>(std::numeric_limits<T>::min())) return std::numeric_limits<T>::min();
    if (value >= static_cast<double>(std::numeric_limits<T>::max())) return std::numeric_limits<T>::max();
    return static_cast<T>(value);
  } else if constexpr (kIsHalf<T>) {
    return T(static_cast<float>(value));
  } else {
    return static_cast<T>(value);
  }
}

/// Calls make(source plane, taps) -> element for every output element.
template <class T, class Make>
void for_each_point(const GridSampleParams& params, const Tensor& x, const Tensor& grid, Tensor& y, const Make& make) {
  std::int64_t plane = 1, points = 1;
  for (int i = 2; i < x.rank(); ++i) plane *= x.dim(i), points *= y.dim(i);
  const std::int64_t channels = x.dim(1);
#pragma omp parallel for schedule(static) if (y.elements() > (1 << 14))
  for (std::int64_t at = 0; at < x.dim(0) * points; ++at) {
    PointTaps taps;
    find_taps(params, grid, at, x.shape(), taps);
    const std::int64_t n = at / points;
    for (std::int64_t c = n * channels; c < (n + 1) * channels; ++c) y.data<T>()[c * points + at % points] = make(x.data<T>() + c * plane, taps);
  }
}

template <class T>
Status sample_nearest(const GridSampleParams& params, const Tensor& x, const Tensor& grid, Tensor& y) {
  for_each_point<T>(params, x, grid, y, [](const T* plane, const PointTaps& taps) { return taps.offset.empty() ? T() : plane[taps.offset[0]]; });
  return {};
}

Status sample(const GridSampleParams& params, const Tensor& x, const Tensor& grid, Tensor& y) {
  if (params.mode != SampleMode::Nearest) {
    return dispatch_numeric(x.type(), "GridSample: mode linear or cubic", [&](auto tag) -> Status {
      using T = typename decltype(tag)::type;
      for_each_point<T>(params, x, grid, y, [](const T* plane, const PointTaps& taps) {
        double sum = 0;
        for (std::size_t i = 0; i < taps.offset.size(); ++i) sum += taps.weight[i] * static_cast<double>(plane[taps.offset[i]]);
        return converted<T>(sum);
      });
      return {};
    });
  }
  if (x.type() == DataType::string) return sample_nearest<std::string>(params, x, grid, y);
  switch (size_of(x.type())) {
    case 1: return sample_nearest<std::uint8_t>(params, x, grid, y);
    case 2: return sample_nearest<std::uint16_t>(params, x, grid, y);
    case 4: return sample_nearest<std::uint32_t>(params, x, grid, y);
    case 8: return sample_nearest<std::uint64_t>(params, x, grid, y);
    default: return sample_nearest<std::complex<double>>(params, x, grid, y);
  }
}

}  // namespace

Status grid_sample_reference(KernelContext& context) {
  const Tensor& x = context.input(0);
  FOVEA_ASSIGN(const GridSampleParams params, GridSampleParams::parse(context.attributes()));
  FOVEA_ASSIGN(const Tensor grid, widened(context.input(1)));
  if (x.rank() < 3 || grid.rank() != x.rank()) {
    return invalid_argument("grid: expected rank ", x.rank(), " like input 0 (3 or more), found ", grid.shape().to_string());
  }
  if (grid.dim(0) != x.dim(0)) return invalid_argument("grid: expected batch ", x.dim(0), " like input 0, found ", grid.dim(0));
  if (grid.dim(x.rank() - 1) != x.rank() - 2) {
    return invalid_argument("grid: expected ", x.rank() - 2, " coordinates per point, found ", grid.dim(x.rank() - 1));
  }
  Shape shape{x.dim(0), x.dim(1)};
  for (int i = 1; i < grid.rank() - 1; ++i) shape.push_back(grid.dim(i));
  FOVEA_ASSIGN(Tensor y, context.output(0, x.type(), shape));
  if (y.elements() == 0) return {};
  return sample(params, x, grid, y);
}

}  // namespace fovea::ops
