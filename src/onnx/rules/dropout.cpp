// SPDX-License-Identifier: Apache-2.0
// Dropout before opset 12: the ratio was an attribute, and networks came in a form for inference. Before opset 10 the mask
// had the type of the data.
#include "onnx/upgrade.h"

namespace fovea::onnx::rules {

Status dropout(Upgrade& u) {
  u.take_int("is_test");
  const auto ratio = u.take_float("ratio");
  if (u.version >= 12) return {};
  if (ratio) {
    const float value = static_cast<float>(*ratio);
    u.set_input(1, u.graph().add_constant(u.node.name + "/ratio", Tensor::from<float>(DataType::f32, {}, std::span(&value, 1))));
  }
  if (u.version < 10 && u.node.outputs.size() > 1 && u.node.outputs[1] != ir::kNone) {
    const ir::ValueId mask = u.detach_output(1);
    u.add_after("CastLike", {u.node.outputs[1], u.node.inputs.front()}, mask);
  }
  return {};
}

}  // namespace fovea::onnx::rules
