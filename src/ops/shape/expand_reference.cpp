// SPDX-License-Identifier: Apache-2.0
// Expand and Tile: copies that read some elements several times.
#include <algorithm>

#include "base/checked_math.h"
#include "base/strided_copy.h"
#include "ops/axis.h"
#include "ops/kernel_context.h"

namespace fovea::ops {

Status expand_reference(KernelContext& context) {
  const Tensor& data = context.input(0);
  FOVEA_ASSIGN(const auto listed, int_values(context.input(1), "shape"));
  FOVEA_ASSIGN(const Shape target, make_shape(listed));
  const int rank = std::max(data.rank(), target.rank());
  const Shape data_strides = dense_strides(data.shape());
  Shape shape, strides;
  for (int axis = 0; axis < rank; ++axis) {
    const int from = axis - (rank - data.rank()), to = axis - (rank - target.rank());
    const std::int64_t has = from >= 0 ? data.dim(from) : 1, wanted = to >= 0 ? target[to] : 1;
    if (has != wanted && has != 1 && wanted != 1) {
      return invalid_argument("cannot expand ", data.shape().to_string(), " to ", target.to_string());
    }
    shape.push_back(has == 1 ? wanted : has);
    strides.push_back(has == 1 ? 0 : data_strides[from]);
  }
  FOVEA_ASSIGN(Tensor output, context.output(0, data.type(), shape));
  strided_copy(data.type(), shape.dims(), data.raw(), strides.dims(), output.raw(), dense_strides(shape).dims());
  return {};
}

Status tile_reference(KernelContext& context) {
  const Tensor& data = context.input(0);
  FOVEA_ASSIGN(const auto repeats, int_values(context.input(1), "repeats"));
  if (static_cast<int>(repeats.size()) != data.rank()) {
    return invalid_argument("repeats has ", repeats.size(), " entries for an input of rank ", data.rank());
  }
  Shape shape;
  for (int axis = 0; axis < data.rank(); ++axis) {
    std::int64_t extent = 0;
    const std::int64_t times = repeats[static_cast<std::size_t>(axis)];
    if (times < 0) return invalid_argument("repeats has the negative entry ", times);
    if (!checked_mul(data.dim(axis), times, extent)) return invalid_argument("axis ", axis, " repeated ", times, " times is too long");
    shape.push_back(extent);
  }
  FOVEA_ASSIGN(Tensor output, context.output(0, data.type(), shape));
  // Each axis becomes two: which repetition (source stride 0), and the index inside it.
  const Shape src = dense_strides(data.shape()), dst = dense_strides(shape);
  std::vector<std::int64_t> extents, src_strides, dst_strides;
  for (int axis = 0; axis < data.rank(); ++axis) {
    extents.insert(extents.end(), {repeats[static_cast<std::size_t>(axis)], data.dim(axis)});
    src_strides.insert(src_strides.end(), {0, src[axis]});
    dst_strides.insert(dst_strides.end(), {data.dim(axis) * dst[axis], dst[axis]});
  }
  strided_copy(data.type(), extents, data.raw(), src_strides, output.raw(), dst_strides);
  return {};
}

}  // namespace fovea::ops
