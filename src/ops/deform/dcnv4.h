// SPDX-License-Identifier: Apache-2.0
// DCNv4 as kernels see it: attributes and the geometry of concrete shapes, one for both forms of the operator. All
// tensors are channels-last by definition, whatever the layout of their neighbours:
//   value  [n, h, w, group * group_channels]
//   offset [n, oh, ow, p]   per group 2 * points numbers (dx, dy), then `points` factors m; the rest up to p is padding
//   y      [n, oh, ow, group * group_channels]
// or, not sliced, value and offset side by side in one tensor [n, h, w, group * group_channels + p].
//
//   y[g, d] = sum over points k of m[k] * value[g, d] at (y, x), bilinear with zero border
//   x = (ox * sw - pw + hx) - s * hx + s * (i * dw + dx), hx = dw * (kw - 1) / 2, s = offset_scale; y alike
// Points count column by column: k = i * kh + j, i along x. With remove_center the point in the middle is left out.
#pragma once

#include <vector>

#include "base/attributes.h"
#include "base/check.h"
#include "base/dim.h"

namespace fovea::ops {

/// A kernel window along one axis.
struct Dcnv4Axis {
  std::int64_t kernel = 3, stride = 1, pad = 1, dilation = 1;

  /// Middle of the window, rounded down.
  std::int64_t half() const { return dilation * (kernel - 1) / 2; }
  std::int64_t span() const { return dilation * (kernel - 1) + 1; }
};

/// Where a point lies in the window before offsets, in elements.
struct Dcnv4Point {
  std::int64_t x = 0, y = 0;
};

/// Shapes, checked against each other. Strides count elements from one pixel to the next.
struct Dcnv4Geometry {
  std::int64_t batch = 0, h = 0, w = 0, oh = 0, ow = 0;
  std::int64_t value_stride = 0, offset_stride = 0;
  std::int64_t offset_start = 0;  ///< of the offsets inside a pixel: not 0 where they stand behind the values

  std::int64_t pixels() const { return oh * ow; }
};

struct Dcnv4Params {
  Dcnv4Axis y, x;
  std::int64_t group = 1, group_channels = 1;
  float offset_scale = 1;
  bool remove_center = false;
  bool softmax = false;  ///< of the factors of one pixel and group

  static Result<Dcnv4Params> parse(const Attributes& attributes);

  std::int64_t points() const { return y.kernel * x.kernel - (remove_center ? 1 : 0); }
  std::int64_t channels() const { return group * group_channels; }
  /// Numbers of the offset tensor that are read per pixel.
  std::int64_t offset_channels() const { return group * 3 * points(); }
  std::vector<Dcnv4Point> window() const;

  Result<Dcnv4Geometry> resolve(const Shape& value, const Shape& offset) const;
  Result<Dcnv4Geometry> resolve_unsliced(const Shape& value_and_offset) const;
  Shape output_shape(const Dcnv4Geometry& geometry) const { return {geometry.batch, geometry.oh, geometry.ow, channels()}; }
};

/// True for the operator with one tensor [value | offset].
inline bool is_unsliced_dcnv4(std::string_view op) { return op == "custom_op::DCNv4FuseOffset_Plugin"; }

}  // namespace fovea::ops
