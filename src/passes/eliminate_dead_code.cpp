// SPDX-License-Identifier: Apache-2.0
#include "passes/eliminate_dead_code.h"

#include <algorithm>

#include "base/check.h"
#include "ops/schema.h"
#include "passes/rewrite.h"

namespace fovea::passes {

namespace {

bool is_dead(const Graph& graph, const Node& node) {
  return std::none_of(node.outputs.begin(), node.outputs.end(),
                      [&](ValueId v) { return v != kNone && is_used(graph, v); });
}

bool drop_trailing_outputs(Graph& graph, NodeId id) {
  const ops::OperatorSchema* schema = ops::find_schema(graph.node(id).op);
  if (!schema || schema->max_outputs >= ops::kVariadic || (schema->traits & ops::kHasBodies)) return false;
  bool changed = false;
  while (static_cast<int>(graph.node(id).outputs.size()) > std::max(schema->min_outputs, 1)) {
    const ValueId last = graph.node(id).outputs.back();
    if (last != kNone && is_used(graph, last)) break;
    graph.set_output(id, static_cast<int>(graph.node(id).outputs.size()) - 1, kNone);
    graph.node(id).outputs.pop_back();
    changed = true;
  }
  return changed;
}

// Capture k of the node is input `formal + k` of each body.
bool drop_unused_captures(Graph& graph, NodeId id) {
  bool changed = false;
  for (std::int64_t k = graph.node(id).attributes.get_int("captures") - 1; k >= 0; --k) {
    const Node& node = graph.node(id);
    const std::int64_t captures = node.attributes.get_int("captures");
    const auto position = [&](const std::vector<ValueId>& inputs) {
      return inputs.size() - static_cast<std::size_t>(captures - k);
    };
    const bool unused = std::none_of(node.bodies.begin(), node.bodies.end(), [&](const Graph& body) {
      return is_used(body, body.inputs[position(body.inputs)]);
    });
    if (!unused) continue;
    Node changed_node = graph.node(id);
    changed_node.inputs.erase(changed_node.inputs.begin() + static_cast<std::ptrdiff_t>(position(changed_node.inputs)));
    for (Graph& body : changed_node.bodies)
      body.inputs.erase(body.inputs.begin() + static_cast<std::ptrdiff_t>(position(body.inputs)));
    changed_node.attributes.set("captures", captures - 1);
    id = replace_node(graph, id, std::move(changed_node));
    changed = true;
  }
  return changed;
}

}  // namespace

Result<bool> eliminate_dead_code(Graph& graph) {
  bool changed = false;
  const std::vector<NodeId> order = graph.topological_order();
  for (auto id = order.rbegin(); id != order.rend(); ++id) {
    if (!graph.alive(*id)) continue;
    if (is_dead(graph, graph.node(*id))) {
      graph.remove_node(*id);
      changed = true;
      continue;
    }
    changed = drop_trailing_outputs(graph, *id) || changed;
    if (!graph.node(*id).bodies.empty()) changed = drop_unused_captures(graph, *id) || changed;
  }
  return changed;
}

}  // namespace fovea::passes
