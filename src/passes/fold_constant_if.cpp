// SPDX-License-Identifier: Apache-2.0
#include "passes/fold_constant_if.h"

#include "passes/rewrite.h"

namespace fovea::passes {

namespace {

// Copies the body's nodes into `graph`; returns what its outputs are there.
std::vector<ValueId> inline_body(Graph& graph, const Graph& body, const std::vector<ValueId>& arguments) {
  std::vector<ValueId> here(static_cast<std::size_t>(body.num_values()), kNone);
  for (std::size_t i = 0; i < body.inputs.size(); ++i) here[static_cast<std::size_t>(body.inputs[i])] = arguments[i];
  const auto map = [&](ValueId id) {
    if (id == kNone) return kNone;
    ValueId& target = here[static_cast<std::size_t>(id)];
    if (target != kNone) return target;
    const ir::Value& value = body.value(id);
    target = value.is_constant() ? graph.add_constant(value.name, value.constant)
                                 : graph.add_value(value.name, value.type, value.shape);
    return target;
  };
  for (NodeId id : body.topological_order()) {
    Node node = body.node(id);
    for (ValueId& v : node.inputs) v = map(v);
    for (ValueId& v : node.outputs) v = map(v);
    graph.add_node(std::move(node));
  }
  std::vector<ValueId> results;
  for (ValueId id : body.outputs) results.push_back(map(id));
  return results;
}

void take_branch(Graph& graph, NodeId id, std::size_t branch) {
  const Node old = graph.node(id);
  const std::vector<ValueId> arguments(old.inputs.begin() + 1, old.inputs.end());
  const std::vector<ValueId> results = inline_body(graph, old.bodies[branch], arguments);
  graph.remove_node(id);
  for (std::size_t i = 0; i < old.outputs.size(); ++i) {
    if (old.outputs[i] == kNone) continue;
    Node bridge;  // keeps the name of a graph output; eliminate_identities removes it elsewhere
    bridge.op = "Identity";
    bridge.name = old.name;
    bridge.inputs = {results[i]};
    bridge.outputs = {old.outputs[i]};
    graph.add_node(std::move(bridge));
  }
}

}  // namespace

Result<bool> fold_constant_if(Graph& graph) {
  bool changed = false;
  for (NodeId id : graph.topological_order()) {
    const Node& node = graph.node(id);
    if (node.op != "If" || node.bodies.size() != 2) continue;
    const auto condition = scalar_of(graph, node.inputs[0]);
    if (!condition) continue;
    take_branch(graph, id, *condition != 0 ? 0 : 1);
    changed = true;
  }
  return changed;
}

}  // namespace fovea::passes
