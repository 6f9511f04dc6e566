// SPDX-License-Identifier: Apache-2.0
// Transpose: schema and shape rule.
#include "ops/known_values.h"

namespace fovea::ops {

namespace {
Status infer_transpose(InferContext& context) {
  context.set_output_type(0, context.input_type(0));
  if (const auto* value = context.input_value(0)) context.set_output_value(0, *value);
  const std::vector<std::int64_t> perm = context.attributes().get_ints("perm");
  const SymbolicShape* input = context.input_shape(0);
  if (!input) {
    if (!perm.empty()) context.set_output_shape(0, unknown_shape(context, static_cast<std::int64_t>(perm.size()), "transpose"));
    return {};
  }
  SymbolicShape output(input->rbegin(), input->rend());
  if (context.attributes().has("perm")) {
    if (perm.size() != input->size()) return invalid_argument("perm has ", perm.size(), " entries for an input of rank ", input->size());
    FOVEA_ASSIGN(const auto axes, normalize_axes(perm, static_cast<int>(input->size())));
    for (std::size_t i = 0; i < axes.size(); ++i) output[i] = (*input)[static_cast<std::size_t>(axes[i])];
  }
  context.set_output_shape(0, std::move(output));
  return {};
}
}  // namespace

OperatorSchema transpose_schema() {
  return {.name = "Transpose",
          .attributes = {{"perm", AttributeType::Ints, false, "axes reversed"}},
          .infer = infer_transpose,
          .summary = "permutes axes"};
}

}  // namespace fovea::ops
