// SPDX-License-Identifier: Apache-2.0
// TopK and Unique: schemas and shape rules.
#include "ops/known_values.h"

namespace fovea::ops {

namespace {

Status infer_top_k(InferContext& context) {
  context.set_output_type(0, context.input_type(0));
  context.set_output_element(1, DataType::i64);
  const SymbolicShape* input = context.input_shape(0);
  if (!input) return {};
  FOVEA_ASSIGN(const int axis, normalize_axis(context.attributes().get_int("axis", -1), static_cast<int>(input->size())));
  const auto k = known_dims(context, 1);
  if (k && k->size() != 1) return invalid_argument("k: expected one number, found ", k->size());
  SymbolicShape output = *input;
  Dim& extent = output[static_cast<std::size_t>(axis)];
  const Dim count = k ? (*k)[0] : context.fresh_symbol("topk");
  if (count.is_constant() && (count.constant() < 0 || (extent.is_constant() && count.constant() > extent.constant()))) {
    return invalid_argument("k is ", count.constant(), " but axis ", axis, " has extent ", extent.to_string());
  }
  extent = count;
  context.set_output_shape(0, output);
  context.set_output_shape(1, std::move(output));
  return {};
}

Status infer_unique(InferContext& context) {
  context.set_output_type(0, context.input_type(0));
  for (int i = 1; i < context.num_outputs(); ++i) context.set_output_element(i, DataType::i64);
  const SymbolicShape* input = context.input_shape(0);
  const Dim count = context.fresh_symbol("unique");
  context.set_output_shape(1, {count});
  context.set_output_shape(3, {count});
  if (!context.attributes().has("axis")) {
    context.set_output_shape(0, {count});
    if (input) context.set_output_shape(2, {product(*input)});
    return {};
  }
  if (!input) return {};
  FOVEA_ASSIGN(const int axis, normalize_axis(context.attributes().get_int("axis"), static_cast<int>(input->size())));
  SymbolicShape output = *input;
  context.set_output_shape(2, {output[static_cast<std::size_t>(axis)]});
  output[static_cast<std::size_t>(axis)] = count;
  context.set_output_shape(0, std::move(output));
  return {};
}

}  // namespace

OperatorSchema top_k_schema() {
  return {.name = "TopK",
          .min_inputs = 2,
          .max_inputs = 2,
          .min_outputs = 2,
          .max_outputs = 2,
          .types = kNumericTypes,
          .attributes = {{"axis", AttributeType::Int, false, "-1"},
                         {"largest", AttributeType::Int, false, "1"},
                         {"sorted", AttributeType::Int, false, "1"}},
          .infer = infer_top_k,
          .summary = "the k largest or smallest elements along an axis; of equal ones the first"};
}

OperatorSchema unique_schema() {
  return {.name = "Unique",
          .since = 11,
          .min_outputs = 1,
          .max_outputs = 4,
          .attributes = {{"axis", AttributeType::Int, false, "flattened"}, {"sorted", AttributeType::Int, false, "1"}},
          .infer = infer_unique,
          .traits = kDataDependent,
          .summary = "distinct elements or slices"};
}

}  // namespace fovea::ops
