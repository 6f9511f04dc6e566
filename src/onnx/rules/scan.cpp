// SPDX-License-Identifier: Apache-2.0
// Scan of opset 8 ran over a batch: every input has the batch first, then the sequence. That is a Scan of today over the
// batch whose body is a Scan of today over the sequence:
//   outer body(state..., scan inputs..., captures...) = Scan(state..., scan inputs..., captures...) { the given body }
#include "onnx/upgrade.h"

namespace fovea::onnx::rules {

Status batched_scan(Upgrade& u) {
  ir::Node& node = u.node;
  if (u.has(0)) return unsupported("Scan of opset 8 with sequence_lens");
  const std::int64_t scans = node.attributes.get_int("num_scan_inputs"), captures = node.attributes.get_int("captures");
  const auto inputs = static_cast<std::int64_t>(node.inputs.size()) - 1 - captures;
  if (node.bodies.size() != 1 || scans < 1 || scans > inputs) return invalid_model("expected one body and 1 to ", inputs, " scan inputs, found ", scans);
  node.inputs.erase(node.inputs.begin());

  ir::Node inner;
  inner.name = node.name + "/sequence";
  inner.op = "Scan";
  inner.attributes.set("num_scan_inputs", scans);
  if (captures > 0) inner.attributes.set("captures", captures);
  if (const auto directions = u.take_ints("directions")) inner.attributes.set("scan_input_directions", *directions);
  inner.bodies = std::move(node.bodies);

  ir::Graph outer;
  outer.name = node.name + "/batch";
  for (const ir::ValueId id : node.inputs) {
    const ir::ValueId input = outer.add_value(id == ir::kNone ? "missing" : u.graph().value(id).name);
    outer.inputs.push_back(input);
    inner.inputs.push_back(input);
  }
  for (std::size_t i = 0; i < node.outputs.size(); ++i) {
    const ir::ValueId output = outer.add_value(str_cat("output_", i));
    outer.outputs.push_back(output);
    inner.outputs.push_back(output);
  }
  outer.add_node(std::move(inner));
  node.bodies.clear();
  node.bodies.push_back(std::move(outer));
  node.attributes.set("num_scan_inputs", inputs);
  return {};
}

}  // namespace fovea::onnx::rules
