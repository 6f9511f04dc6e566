// SPDX-License-Identifier: Apache-2.0
// Schemas of arithmetic on two or more inputs, and of Clip.
#include "ops/elementwise/elementwise_rules.h"

namespace fovea::ops {

namespace {

constexpr std::uint32_t kCommutes = kElementwise | kCommutative;

OperatorSchema binary(std::string_view name, int since, std::uint32_t traits, std::string_view summary, TypeSet types = kNumericTypes) {
  return {.name = name, .since = since, .min_inputs = 2, .max_inputs = 2, .types = types, .infer = infer_arithmetic, .traits = traits, .summary = summary};
}

OperatorSchema variadic(std::string_view name, TypeSet types, std::string_view summary) {
  return {.name = name, .max_inputs = kVariadic, .types = types, .infer = infer_arithmetic, .traits = kCommutes, .summary = summary};
}

/// The exponent or slope has its own type or shape rule; the output looks like the base.
Status infer_pow(InferContext& context) { return infer_broadcast(context, context.input_element(0)); }

Status infer_prelu(InferContext& context) {
  FOVEA_RETURN_IF_ERROR(check_same_element_type(context, 0, 1));
  return infer_same_shape(context);
}

Status infer_clip(InferContext& context) {
  for (int i = 1; i < 3; ++i) {
    if (!context.has_input(i)) continue;
    const DataType bound = context.input_element(i), x = context.input_element(0);
    if (bound != x && bound != DataType::undefined && x != DataType::undefined) {
      return invalid_model("Clip: the bounds must be ", name(x), " as the input is, found ", name(bound));
    }
  }
  return infer_same_shape(context);
}

}  // namespace

OperatorSchema add_schema() { return binary("Add", 1, kCommutes, "sum with broadcasting"); }
OperatorSchema div_schema() { return binary("Div", 1, kElementwise, "quotient with broadcasting; integers round towards zero"); }
OperatorSchema mul_schema() { return binary("Mul", 1, kCommutes, "product with broadcasting"); }
OperatorSchema sub_schema() { return binary("Sub", 1, kElementwise, "difference with broadcasting"); }

OperatorSchema mod_schema() {
  OperatorSchema schema = binary("Mod", 10, kElementwise, "remainder; its sign follows the divisor, with fmod the dividend");
  schema.attributes = {{"fmod", AttributeType::Int, false, "0"}};
  return schema;
}

OperatorSchema pow_schema() {
  OperatorSchema schema = binary("Pow", 1, kElementwise, "power with broadcasting; the exponent may be of another type",
                                 kFloatTypes | types(DataType::i32, DataType::i64));
  schema.infer = infer_pow;
  return schema;
}

OperatorSchema prelu_schema() {
  OperatorSchema schema = binary("PRelu", 1, kElementwise, "slope * x below zero; the slope stretches to x",
                                 kFloatTypes | types(DataType::i32, DataType::i64, DataType::u32, DataType::u64));
  schema.infer = infer_prelu;
  return schema;
}

OperatorSchema max_schema() { return variadic("Max", kNumericTypes, "largest of the inputs with broadcasting"); }
OperatorSchema min_schema() { return variadic("Min", kNumericTypes, "smallest of the inputs with broadcasting"); }
OperatorSchema mean_schema() { return variadic("Mean", kFloatTypes, "mean of the inputs with broadcasting"); }
OperatorSchema sum_schema() { return variadic("Sum", kFloatTypes, "sum of the inputs with broadcasting"); }

OperatorSchema clip_schema() {
  return {.name = "Clip", .max_inputs = 3, .types = kNumericTypes, .infer = infer_clip, .traits = kElementwise,
          .summary = "limits to [min, max], both optional scalars"};
}

}  // namespace fovea::ops
