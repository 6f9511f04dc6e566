// SPDX-License-Identifier: Apache-2.0
// Squeeze and Unsqueeze: schemas and shape rules.
#include <algorithm>

#include "ops/known_values.h"

namespace fovea::ops {

namespace {

Status infer_squeeze(InferContext& context) {
  context.set_output_type(0, context.input_type(0));
  if (const auto* value = context.input_value(0)) context.set_output_value(0, *value);
  const SymbolicShape* input = context.input_shape(0);
  if (!input) return {};
  std::vector<char> dropped(input->size(), 0);
  if (context.has_input(1)) {
    const auto listed = known_ints(context, 1);
    if (!listed) {
      const auto count = known_length(context, 1);
      if (count && *count <= static_cast<std::int64_t>(input->size())) {
        context.set_output_shape(0, unknown_shape(context, static_cast<std::int64_t>(input->size()) - *count, "squeeze"));
      }
      return {};
    }
    FOVEA_ASSIGN(const auto axes, normalize_axes(*listed, static_cast<int>(input->size())));
    for (int axis : axes) {
      const Dim& extent = (*input)[static_cast<std::size_t>(axis)];
      if (extent.is_constant() && extent.constant() != 1) {
        return invalid_argument("axis ", axis, " has extent ", extent.constant(), "; only extent 1 can be squeezed");
      }
      dropped[static_cast<std::size_t>(axis)] = 1;
    }
  } else {
    // Without axes every extent of 1 goes; a symbol might be 1, so then not even the rank is known.
    for (std::size_t i = 0; i < input->size(); ++i) {
      if (!(*input)[i].is_constant()) return {};
      dropped[i] = (*input)[i].constant() == 1;
    }
  }
  SymbolicShape output;
  for (std::size_t i = 0; i < input->size(); ++i) {
    if (!dropped[i]) output.push_back((*input)[i]);
  }
  context.set_output_shape(0, std::move(output));
  return {};
}

Status infer_unsqueeze(InferContext& context) {
  context.set_output_type(0, context.input_type(0));
  const SymbolicShape* input = context.input_shape(0);
  if (!input) return {};
  const auto listed = known_ints(context, 1);
  if (!listed) {
    if (const auto count = known_length(context, 1)) {
      context.set_output_shape(0, unknown_shape(context, static_cast<std::int64_t>(input->size()) + *count, "unsqueeze"));
    }
    return {};
  }
  const std::size_t rank = input->size() + listed->size();
  if (rank > kMaxRank) return unsupported("rank ", rank, ": at most ", kMaxRank, " dimensions are supported");
  FOVEA_ASSIGN(const auto axes, normalize_axes(*listed, static_cast<int>(rank)));
  SymbolicShape output;
  std::size_t next = 0;
  for (std::size_t i = 0; i < rank; ++i) {
    const bool added = std::find(axes.begin(), axes.end(), static_cast<int>(i)) != axes.end();
    output.push_back(added ? Dim(1) : (*input)[next++]);
  }
  if (const auto* value = context.input_value(0); value && rank <= 1) context.set_output_value(0, *value);
  context.set_output_shape(0, std::move(output));
  return {};
}

}  // namespace

OperatorSchema squeeze_schema() {
  return {.name = "Squeeze", .min_inputs = 1, .max_inputs = 2, .infer = infer_squeeze, .summary = "removes axes of extent 1"};
}

OperatorSchema unsqueeze_schema() {
  return {.name = "Unsqueeze", .min_inputs = 2, .max_inputs = 2, .infer = infer_unsqueeze, .summary = "inserts axes of extent 1"};
}

}  // namespace fovea::ops
