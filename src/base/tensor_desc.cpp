// SPDX-License-Identifier: Apache-2.0
#include "base/tensor_desc.h"

namespace fovea {

std::string_view name(Layout layout) {
  switch (layout) {
    case Layout::plain: return "plain";
    case Layout::nhwc: return "nhwc";
    case Layout::nchw8c: return "nchw8c";
    case Layout::nchw16c: return "nchw16c";
  }
  return "unknown";
}

int block_of(Layout layout) { return layout == Layout::nchw16c ? 16 : layout == Layout::nchw8c ? 8 : 1; }

TensorDesc TensorDesc::dense(DataType type, const Shape& shape, Layout layout) {
  TensorDesc desc{type, shape, layout, shape};
  const int rank = shape.rank();
  if (layout == Layout::nhwc && rank >= 3) {
    std::int64_t stride = 1;
    desc.strides[1] = stride;
    stride *= shape[1];
    for (int axis = rank - 1; axis >= 2; --axis) {
      desc.strides[axis] = stride;
      stride *= shape[axis];
    }
    desc.strides[0] = stride;
    return desc;
  }
  std::int64_t stride = block_of(layout);
  for (int axis = rank - 1; axis >= 0; --axis) {
    const bool blocked = axis == 1 && block_of(layout) > 1;
    desc.strides[axis] = stride;
    stride *= blocked ? (shape[axis] + block_of(layout) - 1) / block_of(layout) : shape[axis];
  }
  return desc;
}

bool TensorDesc::is_dense() const { return strides == dense(type, shape, layout).strides; }

std::size_t TensorDesc::bytes() const {
  if (shape.elements() == 0) return 0;
  std::int64_t last = block_of(layout) - 1;
  for (int axis = 0; axis < shape.rank(); ++axis) {
    const bool blocked = axis == 1 && block_of(layout) > 1;
    const std::int64_t extent = blocked ? (shape[axis] + block_of(layout) - 1) / block_of(layout) : shape[axis];
    last += (extent - 1) * strides[axis];
  }
  return static_cast<std::size_t>(last + 1) * size_of(type);
}

}  // namespace fovea
