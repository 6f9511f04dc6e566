// SPDX-License-Identifier: Apache-2.0
// CenterCropPad: schema and shape rule.
#include "ops/known_values.h"

namespace fovea::ops {

namespace {
Status infer_center_crop_pad(InferContext& context) {
  context.set_output_type(0, context.input_type(0));
  const SymbolicShape* input = context.input_shape(0);
  if (!input) return {};
  const int rank = static_cast<int>(input->size());
  std::vector<std::int64_t> listed = context.attributes().get_ints("axes");
  if (!context.attributes().has("axes")) {
    for (int axis = 0; axis < rank; ++axis) listed.push_back(axis);
  }
  FOVEA_ASSIGN(const auto axes, normalize_axes(listed, rank));
  const auto target = known_dims(context, 1);
  if (target && target->size() != axes.size()) return invalid_argument("shape has ", target->size(), " entries for ", axes.size(), " axes");
  SymbolicShape output = *input;
  for (std::size_t i = 0; i < axes.size(); ++i) {
    output[static_cast<std::size_t>(axes[i])] = target ? (*target)[i] : context.fresh_symbol("crop");
  }
  context.set_output_shape(0, std::move(output));
  return {};
}
}  // namespace

OperatorSchema center_crop_pad_schema() {
  return {.name = "CenterCropPad",
          .since = 18,
          .min_inputs = 2,
          .max_inputs = 2,
          .attributes = {{"axes", AttributeType::Ints, false, "all axes"}},
          .infer = infer_center_crop_pad,
          .summary = "crops or pads around the centre to a shape"};
}

}  // namespace fovea::ops
