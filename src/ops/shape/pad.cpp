// SPDX-License-Identifier: Apache-2.0
// Pad: schema and shape rule. Negative pads crop.
#include "ops/known_values.h"

namespace fovea::ops {

namespace {

Status infer_pad(InferContext& context) {
  context.set_output_type(0, context.input_type(0));
  const SymbolicShape* input = context.input_shape(0);
  if (!input) return {};
  const int rank = static_cast<int>(input->size());
  const auto pads = known_dims(context, 1);
  std::vector<std::int64_t> listed;
  if (context.has_input(3)) {
    const auto given = known_ints(context, 3);
    if (!given) {
      context.set_output_shape(0, unknown_shape(context, rank, "pad"));
      return {};
    }
    listed = *given;
  } else {
    for (int axis = 0; axis < rank; ++axis) listed.push_back(axis);
  }
  FOVEA_ASSIGN(const auto axes, normalize_axes(listed, rank));
  if (pads && pads->size() != 2 * axes.size()) {
    return invalid_argument("pads has ", pads->size(), " entries; expected two for each of ", axes.size(), " axes");
  }
  SymbolicShape output = *input;
  for (std::size_t i = 0; i < axes.size(); ++i) {
    Dim& extent = output[static_cast<std::size_t>(axes[i])];
    extent = pads ? extent + (*pads)[i] + (*pads)[i + axes.size()] : context.fresh_symbol("pad");
    if (extent.is_constant() && extent.constant() < 0) return invalid_argument("pads crop axis ", axes[i], " to extent ", extent.constant());
  }
  context.set_output_shape(0, std::move(output));
  return {};
}

}  // namespace

OperatorSchema pad_schema() {
  return {.name = "Pad",
          .min_inputs = 2,
          .max_inputs = 4,
          .attributes = {{"mode", AttributeType::String, false, "constant", {"constant", "reflect", "edge", "wrap"}}},
          .infer = infer_pad,
          .summary = "adds a border (or crops, by negative pads)"};
}

}  // namespace fovea::ops
