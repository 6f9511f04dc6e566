// SPDX-License-Identifier: Apache-2.0
// ConstantOfShape and EyeLike.
#include <algorithm>

#include "base/float_types.h"
#include "base/onnx_data_type.h"
#include "ops/axis.h"
#include "ops/fill.h"
#include "ops/kernel_context.h"

namespace fovea::ops {

namespace {

// A one of each type that a matrix can have; undefined for the others.
Result<Tensor> one_of(DataType type) {
  FOVEA_ASSIGN(Tensor one, Tensor::allocate(type, {}));
  switch (type) {
    case DataType::f32: *one.data<float>() = 1; break;
    case DataType::f64: *one.data<double>() = 1; break;
    case DataType::f16: *one.data<Half>() = Half(1); break;
    case DataType::bf16: *one.data<BFloat16>() = BFloat16(1); break;
    default:
      if (!is_integer(type) && type != DataType::boolean) return unsupported("element type ", name(type));
      *one.data<std::uint8_t>() = 1;  // little endian, and the tensor is zeroed
  }
  return one;
}

}  // namespace

Status constant_of_shape_reference(KernelContext& context) {
  const Tensor value = context.attributes().get_tensor("value");
  if (value.defined() && value.elements() != 1) return invalid_argument("value: expected one element, found ", value.elements());
  FOVEA_ASSIGN(const auto listed, int_values(context.input(0), "shape"));
  FOVEA_ASSIGN(const Shape shape, make_shape(listed));
  FOVEA_ASSIGN(Tensor output, context.output(0, value.defined() ? value.type() : DataType::f32, shape));
  fill(output, value);
  return {};
}

Status eye_like_reference(KernelContext& context) {
  const Tensor& like = context.input(0);
  if (like.rank() != 2) return invalid_argument("expected a matrix, found rank ", like.rank());
  const Attributes& attributes = context.attributes();
  const DataType type = attributes.has("dtype") ? data_type_from_onnx(attributes.get_int("dtype")) : like.type();
  FOVEA_ASSIGN(const Tensor one, one_of(type));
  FOVEA_ASSIGN(Tensor output, context.output(0, type, like.shape()));
  fill(output, Tensor());
  const std::int64_t rows = like.dim(0), columns = like.dim(1);
  // Beyond the corners every diagonal is empty, so clamping k changes nothing and keeps r + k in range.
  const std::int64_t k = std::clamp<std::int64_t>(attributes.get_int("k"), -rows, columns);
  with_storage(type, [&](auto* tag) {
    using T = std::remove_pointer_t<decltype(tag)>;
    for (std::int64_t r = std::max<std::int64_t>(0, -k); r < rows && r + k < columns; ++r) {
      output.data<T>()[r * columns + r + k] = *one.data<T>();
    }
  });
  return {};
}

}  // namespace fovea::ops
