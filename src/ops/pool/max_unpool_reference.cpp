// SPDX-License-Identifier: Apache-2.0
// MaxUnpool: indices count elements of the tensor before pooling; a larger output_shape only adds zeros behind.
#include "base/checked_math.h"
#include "base/element_types.h"
#include "ops/kernel_context.h"
#include "ops/pool/max_unpool.h"

namespace fovea::ops {

Result<Dim> unpooled_extent(const WindowParams& window, int axis, const Dim& pooled) {
  if (window.kernel.empty()) return invalid_model("kernel_shape: required and missing");
  return transposed_output_extent(window, {.output_padding = std::vector<std::int64_t>(window.kernel.size(), 0), .output_shape = {}}, axis, pooled);
}

namespace {

/// The extents before pooling that the window's attributes tell.
Result<Shape> unpooled_shape(const WindowParams& window, const Shape& pooled) {
  Shape shape{pooled[0], pooled[1]};
  for (int i = 0; i < window.spatial_rank(); ++i) {
    FOVEA_ASSIGN(const Dim extent, unpooled_extent(window, i, Dim(pooled[i + 2])));
    shape.push_back(extent.constant());
  }
  FOVEA_RETURN_IF_ERROR(checked_elements(shape.dims()).status());
  return shape;
}

Result<Shape> requested_shape(const Tensor& extents, const Shape& natural) {
  if (extents.type() != DataType::i64 || extents.elements() != natural.rank()) {
    return invalid_argument("output_shape: expected ", natural.rank(), " extents of type i64, found ", extents.elements(), " of ", name(extents.type()));
  }
  Shape shape;
  for (int i = 0; i < natural.rank(); ++i) {
    shape.push_back(extents.data<std::int64_t>()[i]);
    if (shape[i] < natural[i]) {
      return invalid_argument("output_shape: extent ", shape[i], " of axis ", i, " is below ", natural[i], ", the extent before pooling");
    }
  }
  return shape;
}

/// Index in `shape` of the element that has index `flat` in the smaller `natural`.
std::int64_t moved_index(std::int64_t flat, const Shape& natural, const Shape& shape) {
  std::int64_t index = 0, stride = 1;
  for (int i = natural.rank() - 1; i >= 0; --i) {
    index += flat % natural[i] * stride;
    flat /= natural[i];
    stride *= shape[i];
  }
  return index;
}

}  // namespace

Status max_unpool_reference(KernelContext& context) {
  const Tensor &x = context.input(0), &indices = context.input(1);
  if (indices.type() != DataType::i64 || !(indices.shape() == x.shape())) {
    return invalid_argument("indices: expected i64 ", x.shape().to_string(), " like input 0, found ", name(indices.type()), " ", indices.shape().to_string());
  }
  FOVEA_ASSIGN(const WindowParams window, WindowParams::parse(context.attributes(), x.rank()));
  FOVEA_ASSIGN(const Shape natural, unpooled_shape(window, x.shape()));
  Shape shape = natural;
  if (context.has_input(2)) {
    FOVEA_ASSIGN(shape, requested_shape(context.input(2), natural));
  }
  FOVEA_ASSIGN(Tensor y, context.output(0, x.type(), shape));
  const std::int64_t limit = natural.elements();
  return dispatch_floats(x.type(), "MaxUnpool", [&](auto tag) -> Status {
    using T = typename decltype(tag)::type;
    std::fill_n(y.data<T>(), y.elements(), T(0.0f));
    for (std::int64_t i = 0; i < x.elements(); ++i) {
      const std::int64_t index = indices.data<std::int64_t>()[i];
      if (index < 0 || index >= limit) return invalid_argument("indices: ", index, " is outside 0..", limit - 1);
      y.data<T>()[moved_index(index, natural, shape)] = x.data<T>()[i];
    }
    return {};
  });
}

}  // namespace fovea::ops
