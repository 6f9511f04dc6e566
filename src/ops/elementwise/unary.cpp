// SPDX-License-Identifier: Apache-2.0
// Schemas of the operators with one input and no parameter.
#include "ops/elementwise/elementwise_rules.h"

namespace fovea::ops {

namespace {

constexpr TypeSet kFloat8Types = types(DataType::f8e4m3fn, DataType::f8e4m3fnuz, DataType::f8e5m2, DataType::f8e5m2fnuz);

OperatorSchema unary(std::string_view name, int since, TypeSet types, std::string_view summary = "function of each element") {
  return {.name = name, .since = since, .types = types, .infer = infer_unary, .traits = kElementwise, .summary = summary};
}

}  // namespace

#define FOVEA_UNARY(stem, name, since, expression) \
  OperatorSchema stem##_schema() { return unary(name, since, kFloatTypes); }
#include "ops/elementwise/unary_functions.def"
#undef FOVEA_UNARY

OperatorSchema abs_schema() { return unary("Abs", 1, kNumericTypes, "absolute value"); }
OperatorSchema bitwise_not_schema() { return unary("BitwiseNot", 18, kIntTypes, "complement of the bits"); }
OperatorSchema neg_schema() { return unary("Neg", 1, kFloatTypes | kSignedIntTypes, "negation"); }
OperatorSchema relu_schema() { return unary("Relu", 1, kFloatTypes | kSignedIntTypes, "max(x, 0)"); }
OperatorSchema sign_schema() { return unary("Sign", 9, kNumericTypes, "-1, 0 or 1"); }

OperatorSchema is_inf_schema() {
  return {.name = "IsInf", .since = 10, .types = kFloatTypes | kFloat8Types,
          .attributes = {{"detect_negative", AttributeType::Int, false, "1"}, {"detect_positive", AttributeType::Int, false, "1"}},
          .infer = infer_unary_bool, .traits = kElementwise, .summary = "true where infinite"};
}
OperatorSchema is_nan_schema() {
  return {.name = "IsNaN", .since = 9, .types = kFloatTypes | kFloat8Types, .infer = infer_unary_bool, .traits = kElementwise,
          .summary = "true where not a number"};
}
OperatorSchema not_schema() {
  return {.name = "Not", .types = types(DataType::boolean), .infer = infer_unary_bool, .traits = kElementwise, .summary = "logical negation"};
}

}  // namespace fovea::ops
