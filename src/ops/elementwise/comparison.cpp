// SPDX-License-Identifier: Apache-2.0
// Schemas of comparisons, logic and bit operations on two inputs, and of Where.
#include <algorithm>

#include "ops/elementwise/elementwise_rules.h"

namespace fovea::ops {

namespace {

OperatorSchema binary(std::string_view name, int since, TypeSet types, ShapeRule rule, std::uint32_t traits, std::string_view summary) {
  return {.name = name, .since = since, .min_inputs = 2, .max_inputs = 2, .types = types, .infer = rule, .traits = kElementwise | traits, .summary = summary};
}

Status infer_logic(InferContext& context) { return infer_broadcast(context, DataType::boolean); }

Status infer_where(InferContext& context) {
  FOVEA_RETURN_IF_ERROR(check_same_element_type(context, 1, 2));
  const DataType type = context.input_element(1) != DataType::undefined ? context.input_element(1) : context.input_element(2);
  FOVEA_RETURN_IF_ERROR(infer_broadcast(context, type));
  const auto *condition = context.input_value(0), *yes = context.input_value(1), *no = context.input_value(2);
  if (!condition || !yes || !no) return {};
  const std::size_t size = std::max({condition->size(), yes->size(), no->size()});
  for (const auto* list : {condition, yes, no}) {
    if (list->size() != size && list->size() != 1) return {};
  }
  std::vector<Dim> result;
  for (std::size_t i = 0; i < size; ++i) {
    const Dim& chosen = (*condition)[condition->size() == 1 ? 0 : i];
    const Dim &a = (*yes)[yes->size() == 1 ? 0 : i], &b = (*no)[no->size() == 1 ? 0 : i];
    if (!chosen.is_constant() && !(a == b)) return {};
    result.push_back(chosen.is_constant() && chosen.constant() == 0 ? b : a);
  }
  context.set_output_value(0, std::move(result));
  return {};
}

constexpr TypeSet kBool = types(DataType::boolean);

}  // namespace

OperatorSchema equal_schema() {
  return binary("Equal", 1, kNumericTypes | types(DataType::boolean, DataType::string), infer_comparison, kCommutative, "x == y with broadcasting");
}
OperatorSchema greater_schema() { return binary("Greater", 1, kNumericTypes, infer_comparison, 0, "x > y with broadcasting"); }
OperatorSchema greater_or_equal_schema() { return binary("GreaterOrEqual", 12, kNumericTypes, infer_comparison, 0, "x >= y with broadcasting"); }
OperatorSchema less_schema() { return binary("Less", 1, kNumericTypes, infer_comparison, 0, "x < y with broadcasting"); }
OperatorSchema less_or_equal_schema() { return binary("LessOrEqual", 12, kNumericTypes, infer_comparison, 0, "x <= y with broadcasting"); }

OperatorSchema and_schema() { return binary("And", 1, kBool, infer_logic, kCommutative, "logical and with broadcasting"); }
OperatorSchema or_schema() { return binary("Or", 1, kBool, infer_logic, kCommutative, "logical or with broadcasting"); }
OperatorSchema xor_schema() { return binary("Xor", 1, kBool, infer_logic, kCommutative, "exclusive or with broadcasting"); }

OperatorSchema bitwise_and_schema() { return binary("BitwiseAnd", 18, kIntTypes, infer_arithmetic, kCommutative, "bitwise and with broadcasting"); }
OperatorSchema bitwise_or_schema() { return binary("BitwiseOr", 18, kIntTypes, infer_arithmetic, kCommutative, "bitwise or with broadcasting"); }
OperatorSchema bitwise_xor_schema() { return binary("BitwiseXor", 18, kIntTypes, infer_arithmetic, kCommutative, "bitwise exclusive or with broadcasting"); }

OperatorSchema bit_shift_schema() {
  OperatorSchema schema = binary("BitShift", 11, kUnsignedIntTypes, infer_arithmetic, 0, "shift by y bits; shifts of the whole width or more give 0");
  schema.attributes = {{"direction", AttributeType::String, true, "", {"LEFT", "RIGHT"}}};
  return schema;
}

OperatorSchema where_schema() {
  return {.name = "Where", .since = 9, .min_inputs = 3, .max_inputs = 3, .types = kBool, .infer = infer_where, .traits = kElementwise,
          .summary = "x where the condition holds, else y, with broadcasting"};
}

}  // namespace fovea::ops
