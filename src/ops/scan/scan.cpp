// SPDX-License-Identifier: Apache-2.0
// Running sum, product, maximum and minimum along one axis: schemas and shape rules.
#include <algorithm>

#include "ops/axis.h"
#include "ops/schema.h"

namespace fovea::ops {

namespace {

constexpr TypeSet kSummed = kFloatTypes | types(DataType::i32, DataType::i64, DataType::u32, DataType::u64);

Status infer_cumulative(InferContext& context) {
  context.set_output_element(0, context.input_element(0));
  if (const SymbolicShape* shape = context.input_shape(0)) context.set_output_shape(0, *shape);
  return {};
}

/// Two outputs like the input: values, and indices in i64. A scalar has one axis, as in PyTorch.
Status infer_extreme(InferContext& context) {
  context.set_output_element(0, context.input_element(0));
  if (context.num_outputs() > 1) context.set_output_element(1, DataType::i64);
  const SymbolicShape* shape = context.input_shape(0);
  if (!shape) return {};
  const int rank = std::max(1, static_cast<int>(shape->size()));
  FOVEA_RETURN_IF_ERROR(normalize_axis(context.attributes().get_int("dim"), rank).status());
  for (int i = 0; i < context.num_outputs(); ++i) context.set_output_shape(i, *shape);
  return {};
}

OperatorSchema cumulative(std::string_view name, int since, std::string_view summary) {
  return {.name = name, .since = since, .min_inputs = 2, .max_inputs = 2, .types = kSummed,
          .attributes = {{"exclusive", AttributeType::Int, false, "0"}, {"reverse", AttributeType::Int, false, "0"}},
          .infer = infer_cumulative, .summary = summary};
}

OperatorSchema extreme(std::string_view name, std::string_view summary) {
  return {.name = name, .max_outputs = 2, .types = kNumericTypes, .attributes = {{"dim", AttributeType::Int, false, "0"}},
          .infer = infer_extreme, .summary = summary};
}

}  // namespace

OperatorSchema cum_max_schema() { return extreme("mmcv::cummax", "running maximum along an axis and where it stands"); }
OperatorSchema cum_min_schema() { return extreme("mmcv::cummin", "running minimum along an axis and where it stands"); }
OperatorSchema cum_prod_schema() { return cumulative("CumProd", 26, "running product along an axis"); }
OperatorSchema cum_sum_schema() { return cumulative("CumSum", 11, "running sum along an axis"); }

}  // namespace fovea::ops
