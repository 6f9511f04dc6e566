// SPDX-License-Identifier: Apache-2.0
// Reshape and Flatten: schemas and shape rules. The extent behind -1 comes out as an exact expression.
#include <algorithm>
#include <numeric>

#include "ops/known_values.h"

namespace fovea::ops {

namespace {

// product(in) / product(out), cancelling what both lists share before dividing.
Dim quotient(std::vector<Dim> in, std::vector<Dim> out) {
  for (auto it = out.begin(); it != out.end();) {
    const auto same = std::find(in.begin(), in.end(), *it);
    if (same == in.end()) {
      ++it;
    } else {
      in.erase(same);
      it = out.erase(it);
    }
  }
  return floor_div(product(in), product(out));
}

Status infer_reshape(InferContext& context) {
  context.set_output_type(0, context.input_type(0));
  if (const auto* value = context.input_value(0)) context.set_output_value(0, *value);
  const SymbolicShape* input = context.input_shape(0);
  const auto target = known_dims(context, 1);
  if (!target) {
    if (const auto rank = known_length(context, 1)) context.set_output_shape(0, unknown_shape(context, *rank, "reshape"));
    return {};
  }
  const bool zero_copies = context.attributes().get_int("allowzero") == 0;
  SymbolicShape output = *target;
  std::vector<Dim> known;
  int inferred = -1;
  for (std::size_t i = 0; i < output.size(); ++i) {
    if (output[i] == Dim(-1)) {
      if (inferred >= 0) return invalid_argument("target shape has more than one -1");
      inferred = static_cast<int>(i);
      continue;
    }
    if (output[i] == Dim(0) && zero_copies) {
      if (input && i >= input->size()) return invalid_argument("target shape copies axis ", i, " of an input of rank ", input->size());
      output[i] = input ? (*input)[i] : context.fresh_symbol("reshape");
    }
    if (output[i].is_constant() && output[i].constant() < 0) return invalid_argument("target shape has extent ", output[i].constant());
    known.push_back(output[i]);
  }
  const Dim rest = product(known);
  if (inferred >= 0) {
    if (rest == Dim(0)) return invalid_argument("target shape has both 0 and -1, so -1 is not determined");
    output[static_cast<std::size_t>(inferred)] = input ? quotient(*input, known) : context.fresh_symbol("reshape");
  }
  if (input) {
    const Dim before = product(*input), after = product(output);
    if (before.is_constant() && after.is_constant() && !(before == after)) {
      return invalid_argument("cannot reshape ", to_string(*input), " (", before.to_string(), " elements) to ", to_string(*target));
    }
  }
  context.set_output_shape(0, std::move(output));
  return {};
}

Status infer_flatten(InferContext& context) {
  context.set_output_type(0, context.input_type(0));
  if (const auto* value = context.input_value(0); value && value->size() == 1) context.set_output_value(0, *value);
  const SymbolicShape* input = context.input_shape(0);
  if (!input) return {};
  const auto rank = static_cast<std::int64_t>(input->size());
  std::int64_t axis = context.attributes().get_int("axis", 1);
  if (axis < -rank || axis > rank) return invalid_argument("axis ", axis, " is out of range for rank ", rank);
  if (axis < 0) axis += rank;
  const std::span<const Dim> dims(*input);
  context.set_output_shape(0, {product(dims.first(static_cast<std::size_t>(axis))), product(dims.subspan(static_cast<std::size_t>(axis)))});
  return {};
}

}  // namespace

OperatorSchema reshape_schema() {
  return {.name = "Reshape",
          .min_inputs = 2,
          .max_inputs = 2,
          .attributes = {{"allowzero", AttributeType::Int, false, "0"}},
          .infer = infer_reshape,
          .summary = "same elements, another shape; 0 copies an extent, -1 is inferred"};
}

OperatorSchema flatten_schema() {
  return {.name = "Flatten",
          .attributes = {{"axis", AttributeType::Int, false, "1"}},
          .infer = infer_flatten,
          .summary = "joins the axes before and from `axis` into a matrix"};
}

}  // namespace fovea::ops
