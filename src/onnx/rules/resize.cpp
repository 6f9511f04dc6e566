// SPDX-License-Identifier: Apache-2.0
// Upsample and old Resize -> Resize. Before opset 11 the sampled position was x / scale, rounded down for "nearest".
#include "onnx/upgrade.h"

namespace fovea::onnx::rules {

Status resize_sampling(Upgrade& u);

// Upsample 1 (two scales of a picture), 7 (scales attribute) and 9 (scales input) become the Resize of opset 10.
Status upsample(Upgrade& u) {
  ir::Node& node = u.node;
  const auto height = u.take_float("height_scale"), width = u.take_float("width_scale");
  const auto scales = u.take_floats("scales");
  if (height && width) u.set_input(1, u.floats("scales", {1, 1, *height, *width}));
  if (scales) u.set_input(1, u.floats("scales", *scales));
  if (!u.has(1)) return invalid_model("scales are missing");
  if (const auto mode = u.take_string("mode")) node.attributes.set("mode", *mode == "bilinear" ? "linear" : *mode);
  node.op = "Resize";
  return u.version < 11 ? Status() : resize_sampling(u);  // the row for Resize comes next for older models
}

Status resize_sampling(Upgrade& u) {
  ir::Node& node = u.node;
  if (node.inputs.size() != 2) return invalid_model("expected the inputs X and scales, found ", node.inputs.size());
  node.inputs = {node.inputs[0], ir::kNone, node.inputs[1]};
  node.attributes.set("coordinate_transformation_mode", std::string("asymmetric"));
  node.attributes.set("nearest_mode", std::string("floor"));
  return {};
}

// Opset 11 wanted all inputs; empty ones stood for "not given". tf_half_pixel_for_nn (opset 11 only) with rounding down
// samples floor((x + 0.5) / scale): half_pixel, whose position is 0.5 less, with round_prefer_ceil.
Status resize_inputs(Upgrade& u) {
  ir::Node& node = u.node;
  for (const int i : {1, 2, 3}) {
    const Tensor* given = u.constant(i);
    if (given && given->elements() == 0) u.set_input(i, ir::kNone);
  }
  while (!node.inputs.empty() && node.inputs.back() == ir::kNone) node.inputs.pop_back();
  if (node.attributes.get_string("coordinate_transformation_mode") != "tf_half_pixel_for_nn") return {};
  if (node.attributes.get_string("mode", "nearest") != "nearest" || node.attributes.get_string("nearest_mode") != "floor") {
    return unsupported("tf_half_pixel_for_nn with anything but mode nearest and nearest_mode floor");
  }
  node.attributes.set("coordinate_transformation_mode", std::string("half_pixel"));
  node.attributes.set("nearest_mode", std::string("round_prefer_ceil"));
  return {};
}

}  // namespace fovea::onnx::rules
