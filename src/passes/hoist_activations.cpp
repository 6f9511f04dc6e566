// SPDX-License-Identifier: Apache-2.0
#include "passes/hoist_activations.h"

#include <algorithm>

#include "passes/post_ops.h"
#include "passes/rewrite.h"

namespace fovea::passes {

namespace {

// The result of a convolution or product from which single-use movement leads to `value`; kNone if there is none.
ValueId source_of(const Graph& graph, ValueId value) {
  bool moved = false;
  while (is_used_once(graph, value)) {
    const Node* producer = graph.producer(value);
    if (!producer) return kNone;
    if (is_any(producer->op, {"Conv", "MatMul", "Gemm"})) return moved ? value : kNone;
    if (!is_any(producer->op, {"Reshape", "Transpose", "Flatten", "Squeeze", "Unsqueeze"})) return kNone;
    value = producer->inputs[0];
    moved = true;
  }
  return kNone;
}

bool hoist(Graph& graph, NodeId id) {
  const auto activation = activation_of(graph, id);
  if (!activation) return false;
  const ValueId source = source_of(graph, activation->x);
  if (source == kNone) return false;
  Node moved = graph.node(id);
  const NodeId reader = graph.users(source)[0];
  const ir::Value& from = graph.value(source);
  const ValueId activated = graph.add_value(graph.value(moved.outputs[0]).name, from.type, from.shape);
  moved.inputs[0] = source;
  moved.outputs = {activated};
  if (!bypass_node(graph, id, activation->x)) return false;
  graph.add_node(std::move(moved));
  graph.set_input(reader, 0, activated);
  return true;
}

}  // namespace

Result<bool> hoist_activations(Graph& graph) {
  bool changed = false;
  for (NodeId id : graph.topological_order()) {
    if (graph.alive(id)) changed = hoist(graph, id) || changed;
  }
  return changed;
}

}  // namespace fovea::passes
