// SPDX-License-Identifier: Apache-2.0
// Parsing and resolving of pooling parameters.
#include "ops/pool/pool_params.h"

#include "base/checked_math.h"

namespace fovea::ops {

Shape PoolGeometry::output_shape() const {
  Shape shape{batch, channels};
  for (const WindowAxis& axis : axes) shape.push_back(axis.output);
  return shape;
}

Result<PoolParams> PoolParams::parse(const Attributes& attributes, int rank) {
  PoolParams params;
  FOVEA_ASSIGN(params.window, WindowParams::parse(attributes, rank));
  if (params.window.kernel.empty()) return invalid_model("kernel_shape: required and missing");
  params.count_include_pad = attributes.get_int("count_include_pad", 0) != 0;
  params.column_major = attributes.get_int("storage_order", 0) != 0;
  params.p = attributes.get_int("p", 2);
  if (params.p < 1) return invalid_model("p: expected a positive number, found ", params.p);
  return params;
}

Result<PoolGeometry> PoolParams::resolve(const Shape& x) const {
  if (x.rank() != window.spatial_rank() + 2) {
    return invalid_argument("x: expected rank ", window.spatial_rank() + 2, ", found ", x.to_string());
  }
  PoolGeometry geometry{.batch = x[0], .channels = x[1], .axes = {}};
  FOVEA_ASSIGN(geometry.axes, resolve_axes(window, x.dims().subspan(2)));
  FOVEA_RETURN_IF_ERROR(checked_elements(x.dims().subspan(2)).status());
  FOVEA_RETURN_IF_ERROR(checked_elements(geometry.output_shape().dims()).status());
  return geometry;
}

}  // namespace fovea::ops
