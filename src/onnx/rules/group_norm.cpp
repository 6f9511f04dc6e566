// SPDX-License-Identifier: Apache-2.0
// GroupNormalization of opset 18 had one scale and bias per group; now there is one per channel: each is repeated
// C / num_groups times. Made of shape arithmetic, which folds away when C is known.
#include "onnx/upgrade.h"

namespace fovea::onnx::rules {

Status group_norm_per_channel(Upgrade& u) {
  const std::int64_t groups = u.node.attributes.get_int("num_groups");
  if (groups <= 0 || u.node.inputs.size() != 3) return invalid_model("expected 3 inputs and a positive num_groups");
  Attributes channel_axis;
  channel_axis.set("start", std::int64_t{1});
  channel_axis.set("end", std::int64_t{2});
  FOVEA_ASSIGN(const ir::ValueId channels, u.add("Shape", "channels", {u.node.inputs[0]}, channel_axis));
  const ir::ValueId count = u.ints("groups", {groups});
  FOVEA_ASSIGN(const ir::ValueId repeats, u.add("Div", "repeats", {channels, count}));
  Attributes join;
  join.set("axis", std::int64_t{0});
  FOVEA_ASSIGN(const ir::ValueId shape, u.add("Concat", "shape", {count, repeats}, join));
  for (const int i : {1, 2}) {
    const std::string role = i == 1 ? "scale" : "bias";
    FOVEA_ASSIGN(const ir::ValueId column, u.add("Unsqueeze", role + "_column", {u.node.inputs[static_cast<std::size_t>(i)], u.ints("axes", {1})}));
    FOVEA_ASSIGN(const ir::ValueId repeated, u.add("Expand", role + "_repeated", {column, shape}));
    FOVEA_ASSIGN(const ir::ValueId flat, u.add("Reshape", role, {repeated, u.ints("flat", {-1})}));
    u.set_input(i, flat);
  }
  return {};
}

}  // namespace fovea::onnx::rules
