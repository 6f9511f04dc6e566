// SPDX-License-Identifier: Apache-2.0
// Schemas of Softmax, LogSoftmax and Hardmax: along one axis, same shape.
#include "ops/schema.h"

namespace fovea::ops {

namespace {

Status infer_softmax(InferContext& context) {
  context.set_output_element(0, context.input_element(0));
  const SymbolicShape* shape = context.input_shape(0);
  if (!shape) return {};
  const auto rank = static_cast<std::int64_t>(shape->size());
  const std::int64_t axis = context.attributes().get_int("axis", -1);
  if (axis < -rank || axis >= rank) return invalid_argument("axis ", axis, " is out of range for rank ", rank);
  context.set_output_shape(0, *shape);
  return {};
}

OperatorSchema schema(std::string_view name, std::string_view summary) {
  return {.name = name, .types = kFloatTypes, .attributes = {{"axis", AttributeType::Int, false, "-1"}}, .infer = infer_softmax, .summary = summary};
}

}  // namespace

OperatorSchema hardmax_schema() { return schema("Hardmax", "1 at the first largest element along an axis, else 0"); }
OperatorSchema log_softmax_schema() { return schema("LogSoftmax", "logarithm of the softmax along an axis"); }
OperatorSchema softmax_schema() { return schema("Softmax", "exp(x) / sum(exp(x)) along an axis"); }

}  // namespace fovea::ops
