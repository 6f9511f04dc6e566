// SPDX-License-Identifier: Apache-2.0
// Concat: schema and shape rule.
#include "ops/known_values.h"

namespace fovea::ops {

namespace {

// The values of lists, one after the other; nothing if one is unknown.
std::optional<std::vector<Dim>> joined_values(const InferContext& context) {
  std::vector<Dim> joined;
  for (int i = 0; i < context.num_inputs(); ++i) {
    const auto* value = context.input_value(i);
    const SymbolicShape* shape = context.input_shape(i);
    if (!value || !shape || shape->size() != 1) return std::nullopt;
    joined.insert(joined.end(), value->begin(), value->end());
  }
  return joined;
}

Status infer_concat(InferContext& context) {
  for (int i = 0; i < context.num_inputs(); ++i) {
    if (!context.has_input(i)) return invalid_model("input ", i, " is missing");
    if (context.input_element(i) != DataType::undefined) context.set_output_type(0, context.input_type(i));
  }
  if (auto value = joined_values(context)) context.set_output_value(0, *std::move(value));
  SymbolicShape output;
  bool all_known = true, first = true;
  int axis = 0;
  for (int i = 0; i < context.num_inputs(); ++i) {
    const SymbolicShape* shape = context.input_shape(i);
    if (!shape) {
      all_known = false;
      continue;
    }
    if (first) {
      output = *shape;
      first = false;
      FOVEA_ASSIGN(axis, normalize_axis(context.attributes().get_int("axis"), static_cast<int>(shape->size())));
      continue;
    }
    if (shape->size() != output.size()) return invalid_argument("input ", i, " has rank ", shape->size(), ", others have rank ", output.size());
    for (std::size_t k = 0; k < output.size(); ++k) {
      const Dim& extent = (*shape)[k];
      if (static_cast<int>(k) == axis) {
        output[k] = output[k] + extent;
      } else if (!output[k].is_constant()) {
        if (extent.is_constant()) output[k] = extent;
      } else if (extent.is_constant() && !(extent == output[k])) {
        return invalid_argument("input ", i, " has shape ", to_string(*shape), "; axis ", k, " should have extent ", output[k].constant());
      }
    }
  }
  if (first) return {};
  if (!all_known) output[static_cast<std::size_t>(axis)] = context.fresh_symbol("concat");
  context.set_output_shape(0, std::move(output));
  return {};
}

}  // namespace

OperatorSchema concat_schema() {
  return {.name = "Concat",
          .min_inputs = 1,
          .max_inputs = kVariadic,
          .attributes = {{"axis", AttributeType::Int, true}},
          .infer = infer_concat,
          .summary = "joins tensors along an axis"};
}

}  // namespace fovea::ops
