// SPDX-License-Identifier: Apache-2.0
#include "passes/merge_reshapes.h"

#include "passes/reshape_target.h"
#include "passes/rewrite.h"

namespace fovea::passes {

namespace {

bool is_reshape(const Node& node) {
  return node.op == "Reshape" || node.op == "Flatten" || node.op == "Squeeze" || node.op == "Unsqueeze";
}

// The value at the head of the chain that ends in `value`.
ValueId origin(const Graph& graph, ValueId value) {
  const Node* producer = graph.producer(value);
  while (producer && is_reshape(*producer)) {
    value = producer->inputs[0];
    producer = graph.producer(value);
  }
  return value;
}

bool merge(Graph& graph, NodeId id) {
  const Node& node = graph.node(id);
  const ValueId before = node.inputs[0], x = origin(graph, before);
  const bool fixed_shape = node.op == "Reshape" && constant_of(graph, node.inputs[1]);
  if (x == before && (fixed_shape || node.op != "Reshape")) return false;
  const auto target = reshape_target(graph, x, node.outputs[0]);
  if (!target) return false;
  const NodeId chain = x == before ? kNone : graph.value(before).producer;
  const ValueId shape = graph.add_constant("shape", from_integers(*target));
  replace_node(graph, id, "Reshape", {x, shape}, {},
               chain == kNone ? std::vector<NodeId>() : std::vector<NodeId>{chain});
  return true;
}

}  // namespace

Result<bool> merge_reshapes(Graph& graph) {
  bool changed = false;
  for (NodeId id : graph.topological_order()) {
    if (graph.alive(id) && is_reshape(graph.node(id))) changed = merge(graph, id) || changed;
  }
  return changed;
}

}  // namespace fovea::passes
