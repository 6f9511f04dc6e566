// SPDX-License-Identifier: Apache-2.0
// Schemas of the activations with parameters, Gelu and Shrink.
#include "ops/elementwise/elementwise_rules.h"

namespace fovea::ops {

namespace {

OperatorSchema activation(std::string_view name, int since, std::string_view a, std::string_view a_text, std::string_view b,
                          std::string_view b_text) {
  OperatorSchema schema{.name = name, .since = since, .types = kFloatTypes, .infer = infer_unary, .traits = kElementwise,
                        .summary = "activation of each element"};
  schema.attributes.push_back({a, AttributeType::Float, false, a_text});
  if (!b.empty()) schema.attributes.push_back({b, AttributeType::Float, false, b_text});
  return schema;
}

}  // namespace

#define FOVEA_ACTIVATION(stem, name, since, a, a_default, b, b_default, expression) \
  OperatorSchema stem##_schema() { return activation(name, since, a, #a_default, b, #b_default); }
#include "ops/elementwise/activations.def"
#undef FOVEA_ACTIVATION

OperatorSchema gelu_schema() {
  return {.name = "Gelu", .since = 20, .types = kFloatTypes,
          .attributes = {{"approximate", AttributeType::String, false, "none", {"none", "tanh"}}},
          .infer = infer_unary, .traits = kElementwise, .summary = "x * normal distribution function(x)"};
}

OperatorSchema shrink_schema() {
  return {.name = "Shrink", .since = 9, .types = kNumericTypes,
          .attributes = {{"bias", AttributeType::Float, false, "0.0"}, {"lambd", AttributeType::Float, false, "0.5"}},
          .infer = infer_unary, .traits = kElementwise, .summary = "zero around zero, shifted by the bias outside"};
}

}  // namespace fovea::ops
