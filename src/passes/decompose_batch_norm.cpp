// SPDX-License-Identifier: Apache-2.0
#include "passes/decompose_batch_norm.h"

#include "passes/channel_affine.h"
#include "passes/rewrite.h"

namespace fovea::passes {

namespace {

bool decompose(Graph& graph, NodeId id) {
  const Node& node = graph.node(id);
  const ValueId x = node.inputs[0];
  const DataType type = type_of(graph, x);
  const int rank = rank_of(graph, x);
  const Tensor* scale = constant_of(graph, node.inputs[1]);
  if (rank < 2 || !scale || (type != DataType::f32 && type != DataType::f64)) return false;
  for (std::size_t i = 1; i < node.outputs.size(); ++i) {
    if (node.outputs[i] != kNone) return false;
  }
  const auto affine = channel_affine(graph, id, scale->elements());
  if (!affine) return false;
  Shape shape{scale->elements()};
  for (int axis = 2; axis < rank; ++axis) shape.push_back(1);
  const std::string name = node.name;
  const ValueId factor = graph.add_constant(name + ".factor", from_doubles(type, shape, affine->factor));
  const ValueId summand = graph.add_constant(name + ".summand", from_doubles(type, shape, affine->summand));
  const ValueId scaled = add_typed_node(graph, "Mul", name + ".scaled", {x, factor}, {}, type, graph.value(x).shape);
  replace_node(graph, id, "Add", {scaled, summand});
  return true;
}

}  // namespace

Result<bool> decompose_batch_norm(Graph& graph) {
  bool changed = false;
  for (NodeId id : graph.topological_order()) {
    if (graph.alive(id) && graph.node(id).op == "BatchNormalization") changed = decompose(graph, id) || changed;
  }
  return changed;
}

}  // namespace fovea::passes
