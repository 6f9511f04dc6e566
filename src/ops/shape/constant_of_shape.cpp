// SPDX-License-Identifier: Apache-2.0
// ConstantOfShape, EyeLike and OneHot: schemas and shape rules of the operators that fill a new tensor.
#include <cmath>

#include "base/onnx_data_type.h"
#include "ops/known_values.h"

namespace fovea::ops {

namespace {

Status infer_constant_of_shape(InferContext& context) {
  const Tensor value = context.attributes().get_tensor("value");
  context.set_output_element(0, value.defined() ? value.type() : DataType::f32);
  const auto shape = known_dims(context, 0);
  if (!shape) {
    if (const auto rank = known_length(context, 0)) context.set_output_shape(0, unknown_shape(context, *rank, "constant"));
    return {};
  }
  for (const Dim& extent : *shape) {
    if (extent.is_constant() && extent.constant() < 0) return invalid_argument("negative extent ", extent.constant());
  }
  if (value.defined() && value.type() == DataType::i64 && value.elements() == 1 && shape->size() <= 1) {
    const Dim count = product(*shape);
    if (count.is_constant() && count.constant() <= 64) {
      context.set_output_value(0, std::vector<Dim>(static_cast<std::size_t>(count.constant()), Dim(*value.data<std::int64_t>())));
    }
  }
  context.set_output_shape(0, *shape);
  return {};
}

Status infer_eye_like(InferContext& context) {
  const bool given = context.attributes().has("dtype");
  const DataType type = given ? data_type_from_onnx(context.attributes().get_int("dtype")) : context.input_element(0);
  if (given && type == DataType::undefined) return invalid_argument("dtype ", context.attributes().get_int("dtype"), " is not an element type");
  context.set_output_element(0, type);
  if (const SymbolicShape* input = context.input_shape(0)) {
    if (input->size() != 2) return invalid_argument("expected a matrix, found rank ", input->size());
    context.set_output_shape(0, *input);
  }
  return {};
}

Status infer_one_hot(InferContext& context) {
  context.set_output_type(0, context.input_type(2));
  const SymbolicShape* indices = context.input_shape(0);
  if (!indices) return {};
  FOVEA_ASSIGN(const int axis, normalize_axis(context.attributes().get_int("axis", -1), static_cast<int>(indices->size()) + 1));
  const auto depth = known_dims(context, 1);
  SymbolicShape output = *indices;
  output.insert(output.begin() + axis, depth && depth->size() == 1 ? (*depth)[0] : context.fresh_symbol("depth"));
  context.set_output_shape(0, std::move(output));
  return {};
}

}  // namespace

OperatorSchema constant_of_shape_schema() {
  return {.name = "ConstantOfShape",
          .since = 9,
          .attributes = {{"value", AttributeType::Tensor, false, "0 (f32)"}},
          .infer = infer_constant_of_shape,
          .summary = "a tensor of the given shape filled with one value"};
}

OperatorSchema eye_like_schema() {
  return {.name = "EyeLike",
          .since = 9,
          .attributes = {{"dtype", AttributeType::Int, false, "the input's"}, {"k", AttributeType::Int, false, "0"}},
          .infer = infer_eye_like,
          .summary = "ones on a diagonal, zeros elsewhere"};
}

OperatorSchema one_hot_schema() {
  return {.name = "OneHot",
          .since = 9,
          .min_inputs = 3,
          .max_inputs = 3,
          .attributes = {{"axis", AttributeType::Int, false, "-1"}},
          .infer = infer_one_hot,
          .summary = "indices to vectors with one entry set"};
}

}  // namespace fovea::ops
