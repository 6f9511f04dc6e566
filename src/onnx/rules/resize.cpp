// SPDX-License-Identifier: Apache-2.0
// Upsample and old Resize -> Resize. Before opset 11 the sampled position was x / scale; "nearest" rounded it down along axes
// that grow and up along axes that shrink (the standard's own example), so a mixture is two steps.
#include "onnx/upgrade.h"

#include <algorithm>

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
  node.attributes.set("coordinate_transformation_mode", std::string("asymmetric"));
  node.attributes.set("nearest_mode", std::string("floor"));
  const Tensor* scales = node.attributes.get_string("mode", "nearest") == "nearest" ? u.constant(1) : nullptr;
  node.inputs = {node.inputs[0], ir::kNone, node.inputs[1]};
  if (!scales || scales->type() != DataType::f32) return {};
  std::vector<double> up, down;
  for (const float scale : scales->values<float>()) {
    up.push_back(std::max(scale, 1.0f));
    down.push_back(std::min(scale, 1.0f));
  }
  const auto idle = [](const std::vector<double>& factors) { return std::all_of(factors.begin(), factors.end(), [](double f) { return f == 1; }); };
  if (idle(down)) return {};
  if (!idle(up)) {
    FOVEA_ASSIGN(const ir::ValueId grown, u.add("Resize", "grown", {node.inputs[0], ir::kNone, u.floats("up", up)}, node.attributes));
    node.inputs = {grown, ir::kNone, u.floats("down", down)};
  }
  node.attributes.set("nearest_mode", std::string("ceil"));
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
