// SPDX-License-Identifier: Apache-2.0
#include "passes/merge_duplicates.h"

#include <algorithm>
#include <cstring>
#include <map>

#include "ops/schema.h"
#include "passes/rewrite.h"

namespace fovea::passes {

namespace {

// Type, shape and both ends: enough to tell nearly all constants apart without reading them whole.
std::string key_of(const Tensor& tensor) {
  std::string key(name(tensor.type()));
  key += tensor.shape().to_string() + ":";
  const std::size_t end = std::min<std::size_t>(tensor.bytes(), 32);
  const char* bytes = static_cast<const char*>(tensor.raw());
  return key.append(bytes, end).append(bytes + tensor.bytes() - end, end);
}

bool same_bytes(const Tensor& a, const Tensor& b) {
  return a.raw() == b.raw() || a.bytes() == 0 || std::memcmp(a.raw(), b.raw(), a.bytes()) == 0;
}

bool merge_constants(Graph& graph) {
  bool changed = false;
  std::multimap<std::string, ValueId> seen;
  for (ValueId id = 0; id < graph.num_values(); ++id) {
    const Tensor* tensor = constant_of(graph, id);
    if (!tensor || tensor->type() == DataType::string || graph.users(id).empty()) continue;
    std::string key = key_of(*tensor);
    const auto [from, to] = seen.equal_range(key);
    const auto twin = std::find_if(
        from, to, [&](const auto& entry) { return same_bytes(graph.value(entry.second).constant, *tensor); });
    if (twin == to) {
      seen.emplace(std::move(key), id);
    } else if (!graph.is_graph_output(id)) {
      graph.replace_uses(id, twin->second);
      changed = true;
    }
  }
  return changed;
}

bool may_merge(const Graph& graph, const Node& node) {
  const ops::OperatorSchema* schema = ops::find_schema(node.op);
  if (!schema || (schema->traits & (ops::kNonDeterministic | ops::kHasBodies)) || !node.bodies.empty()) return false;
  return std::none_of(node.outputs.begin(), node.outputs.end(),
                      [&](ValueId v) { return v != kNone && graph.is_graph_output(v); });
}

bool same_work(const Node& a, const Node& b) {
  return a.op == b.op && a.inputs == b.inputs && equal(a.attributes, b.attributes);
}

bool merge_nodes(Graph& graph) {
  bool changed = false;
  std::multimap<std::string, NodeId> seen;  // by operator and inputs; attributes are compared
  for (NodeId id : graph.topological_order()) {
    std::string key = graph.node(id).op;
    for (ValueId input : graph.node(id).inputs) key += " " + std::to_string(input);
    const auto [from, to] = seen.equal_range(key);
    const auto twin =
        std::find_if(from, to, [&](const auto& entry) { return same_work(graph.node(entry.second), graph.node(id)); });
    if (twin == to || !may_merge(graph, graph.node(id))) {
      const ops::OperatorSchema* schema = ops::find_schema(graph.node(id).op);
      const bool mergeable =
          schema && !(schema->traits & (ops::kNonDeterministic | ops::kHasBodies)) && graph.node(id).bodies.empty();
      if (mergeable && twin == to) seen.emplace(std::move(key), id);
      continue;
    }
    // An output that only the second one has moves over to the first.
    const NodeId kept = twin->second;
    const std::vector<ValueId> outputs = graph.node(id).outputs;
    std::vector<ValueId> moved;
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      if (outputs[i] == kNone) continue;
      const auto& existing = graph.node(kept).outputs;
      if (i < existing.size() && existing[i] != kNone) {
        graph.replace_uses(outputs[i], existing[i]);
      } else {
        moved.push_back(static_cast<ValueId>(i));
      }
    }
    graph.remove_node(id);
    for (ValueId i : moved) graph.set_output(kept, i, outputs[static_cast<std::size_t>(i)]);
    changed = true;
  }
  return changed;
}

}  // namespace

Result<bool> merge_duplicates(Graph& graph) {
  const bool constants = merge_constants(graph);
  return merge_nodes(graph) || constants;
}

}  // namespace fovea::passes
