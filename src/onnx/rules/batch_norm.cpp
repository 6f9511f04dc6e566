// SPDX-License-Identifier: Apache-2.0
// BatchNormalization before opset 14. One output (or is_test) meant inference; more outputs meant training, of which the
// batch's own mean and variance (outputs 3 and 4) no longer exist. spatial = 0 (before opset 9) normalises every
// position on its own: statistics of shape [C,H,W], which plain arithmetic does.
#include "onnx/upgrade.h"

namespace fovea::onnx::rules {

namespace {

// (X - mean) / sqrt(var + epsilon) * scale + B
Status per_position(Upgrade& u) {
  ir::Node& node = u.node;
  FOVEA_ASSIGN(const ir::ValueId epsilon, u.scalar_like("epsilon", u.take_float("epsilon").value_or(1e-5f), 0));
  FOVEA_ASSIGN(const ir::ValueId centred, u.add("Sub", "centred", {node.inputs[0], node.inputs[3]}));
  FOVEA_ASSIGN(const ir::ValueId shifted, u.add("Add", "shifted", {node.inputs[4], epsilon}));
  FOVEA_ASSIGN(const ir::ValueId deviation, u.add("Sqrt", "deviation", {shifted}));
  FOVEA_ASSIGN(const ir::ValueId normal, u.add("Div", "normal", {centred, deviation}));
  FOVEA_ASSIGN(const ir::ValueId scaled, u.add("Mul", "scaled", {normal, node.inputs[1]}));
  node.inputs = {scaled, node.inputs[2]};
  node.op = "Add";
  node.attributes = Attributes();
  return {};
}

}  // namespace

Status batch_norm(Upgrade& u) {
  ir::Node& node = u.node;
  bool training = false;
  for (std::size_t i = 1; i < node.outputs.size(); ++i) training |= node.outputs[i] != ir::kNone;
  if (u.take_int("is_test").value_or(0) != 0) training = false;
  const bool spatial = u.take_int("spatial").value_or(1) != 0;
  if (node.inputs.size() != 5) return invalid_model("expected 5 inputs, found ", node.inputs.size());
  if (node.outputs.size() > (training ? 3u : 1u)) node.outputs.resize(training ? 3 : 1);
  if (training) node.attributes.set("training_mode", std::int64_t{1});
  if (spatial || u.rank(0) == 2) return {};
  if (training) return unsupported("training with spatial = 0");
  return per_position(u);
}

}  // namespace fovea::onnx::rules
