// SPDX-License-Identifier: Apache-2.0
// Softmax, LogSoftmax and Hardmax before opset 13 worked on the input flattened to 2-D at `axis` (1 by default):
// all axes from there on together. With one such axis (others being 1) that is today's form; else
// x -> Flatten(axis) -> Softmax(-1) -> Reshape(Shape(x)).
#include "onnx/upgrade.h"

namespace fovea::onnx::rules {

Status flattened_softmax(Upgrade& u) {
  ir::Node& node = u.node;
  if (!u.has(0)) return invalid_model("input 0 is missing");
  std::int64_t axis = u.take_int("axis").value_or(1);
  const SymbolicShape* shape = u.shape(0);
  if (shape) {
    const auto rank = static_cast<std::int64_t>(shape->size());
    if (axis < 0) axis += rank;
    if (axis < 0 || axis > rank) return invalid_model("axis ", axis, " is out of range for rank ", rank);
    bool single = axis < rank;
    for (std::int64_t i = axis + 1; i < rank; ++i) single = single && (*shape)[static_cast<std::size_t>(i)] == Dim(1);
    if (single) {
      node.attributes.set("axis", axis == rank - 1 ? std::int64_t{-1} : axis);
      return {};
    }
  } else if (axis == -1) {
    node.attributes.set("axis", std::int64_t{-1});
    return {};
  }
  const ir::ValueId x = node.inputs[0];
  ir::ValueId target = ir::kNone;
  const auto fixed = shape ? to_concrete(*shape) : std::nullopt;
  if (fixed) {
    target = u.ints("shape", fixed->to_vector());
  } else {
    FOVEA_ASSIGN(target, u.add("Shape", "shape", {x}));
  }
  Attributes flatten, last;
  flatten.set("axis", axis);
  last.set("axis", std::int64_t{-1});
  FOVEA_ASSIGN(const ir::ValueId flat, u.add("Flatten", "flat", {x}, flatten));
  FOVEA_ASSIGN(const ir::ValueId result, u.add(node.op, "rows", {flat}, last));
  node.op = "Reshape";
  node.inputs = {result, target};
  // An extent of 0 in the shape is an extent, not "copy".
  node.attributes.set("allowzero", std::int64_t{1});
  return {};
}

}  // namespace fovea::onnx::rules
