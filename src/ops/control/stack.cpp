// SPDX-License-Identifier: Apache-2.0
#include "ops/control/stack.h"

#include "base/strided_copy.h"

namespace fovea::ops {

namespace {

/// Shape with extent 1 put in at `axis`.
Shape with_axis(const Shape& shape, int axis, std::int64_t extent) {
  Shape result;
  for (int i = 0; i <= shape.rank(); ++i) {
    if (i == axis) result.push_back(extent);
    if (i < shape.rank()) result.push_back(shape[i]);
  }
  return result;
}

}  // namespace

Result<int> scan_axis(std::string_view op, std::int64_t axis, int rank) {
  if (axis < -rank || axis >= rank) return invalid_argument(op, ": axis ", axis, " is out of range for rank ", rank);
  return static_cast<int>(axis < 0 ? axis + rank : axis);
}

Result<Tensor> take_slice(const Tensor& x, int axis, std::int64_t index) {
  Shape extents, strides;
  const Shape all = dense_strides(x.shape());
  for (int i = 0; i < x.rank(); ++i) {
    if (i == axis) continue;
    extents.push_back(x.dim(i));
    strides.push_back(all[i]);
  }
  FOVEA_ASSIGN(Tensor y, Tensor::allocate(x.type(), extents));
  if (y.elements() > 0) {
    strided_copy(x.type(), extents.dims(), element_at(x.type(), x.raw(), index * all[axis]), strides.dims(), y.raw(), dense_strides(extents).dims());
  }
  return y;
}

Result<Datum> stack(std::string_view op, const std::vector<Datum>& items, DataType type, std::int64_t axis, bool reverse) {
  if (items.empty()) {
    FOVEA_ASSIGN(Tensor none, Tensor::allocate(type, {0}));
    return Datum(std::move(none));
  }
  for (const Datum& item : items) {
    if (item.kind != Datum::Kind::Tensor || !(item.tensor.shape() == items[0].tensor.shape()) || item.tensor.type() != items[0].tensor.type()) {
      return invalid_argument(op, ": a scan output changes its type or shape between iterations");
    }
  }
  const Tensor& first = items[0].tensor;
  if (first.rank() == kMaxRank) return unsupported(op, ": scan outputs of rank ", first.rank());
  FOVEA_ASSIGN(const int at, scan_axis(op, axis, first.rank() + 1));
  const auto count = static_cast<std::int64_t>(items.size());
  FOVEA_ASSIGN(Tensor y, Tensor::allocate(first.type(), with_axis(first.shape(), at, count)));
  const Shape one = with_axis(first.shape(), at, 1), strides = dense_strides(y.shape());
  for (std::int64_t i = 0; i < count && first.elements() > 0; ++i) {
    const Tensor& item = items[static_cast<std::size_t>(reverse ? count - 1 - i : i)].tensor;
    strided_copy(first.type(), one.dims(), item.raw(), dense_strides(one).dims(), element_at(first.type(), y.raw(), i * strides[at]), strides.dims());
  }
  return Datum(std::move(y));
}

}  // namespace fovea::ops
