// SPDX-License-Identifier: Apache-2.0
#include "passes/merge_convs_sharing_input.h"

#include <algorithm>
#include <cstring>

#include "passes/rewrite.h"

namespace fovea::passes {

namespace {

constexpr std::int64_t kMaxChannels = 64;

bool goes_into_concat(const Graph& graph, ValueId value) {
  const auto& users = graph.users(value);
  return std::any_of(users.begin(), users.end(), [&](NodeId user) { return graph.node(user).op == "Concat"; });
}

bool is_candidate(const Graph& graph, NodeId id) {
  const Node& node = graph.node(id);
  if (node.op != "fovea::conv" || node.has_input(3) || node.attributes.get_int("group", 1) != 1) return false;
  const Tensor* w = constant_of(graph, node.inputs[1]);
  if (!w || w->dim(0) > kMaxChannels || (node.has_input(2) && !constant_of(graph, node.inputs[2]))) return false;
  return rank_of(graph, node.outputs[0]) == w->rank() && !goes_into_concat(graph, node.outputs[0]);
}

bool alike(const Graph& graph, NodeId a, NodeId b) {
  const Node& left = graph.node(a);
  const Node& right = graph.node(b);
  if (!equal(left.attributes, right.attributes) || left.has_input(2) != right.has_input(2)) return false;
  const Tensor& wa = *constant_of(graph, left.inputs[1]);
  const Tensor& wb = *constant_of(graph, right.inputs[1]);
  if (wa.type() != wb.type() || wa.rank() != wb.rank()) return false;
  for (int axis = 1; axis < wa.rank(); ++axis) {
    if (wa.dim(axis) != wb.dim(axis)) return false;
  }
  return true;
}

// One behind the other along axis 0.
Tensor stacked(const Graph& graph, const std::vector<NodeId>& nodes, std::size_t input) {
  const Tensor& first = *constant_of(graph, graph.node(nodes[0]).inputs[input]);
  Shape shape = first.shape();
  shape[0] = 0;
  for (NodeId id : nodes) shape[0] += constant_of(graph, graph.node(id).inputs[input])->dim(0);
  Tensor result = Tensor::allocate(first.type(), shape).value();
  auto* at = static_cast<std::byte*>(result.raw());
  for (NodeId id : nodes) {
    const Tensor& part = *constant_of(graph, graph.node(id).inputs[input]);
    std::memcpy(at, part.raw(), part.bytes());
    at += part.bytes();
  }
  return result;
}

void merge(Graph& graph, const std::vector<NodeId>& nodes) {
  const Node first = graph.node(nodes[0]);
  std::vector<std::int64_t> sizes;
  Node split;
  split.op = "Split";
  split.attributes.set("axis", std::int64_t{1});
  Node conv = first;
  conv.sources.clear();
  conv.inputs[1] = graph.add_constant(first.name + ".merged", stacked(graph, nodes, 1));
  if (first.has_input(2)) conv.inputs[2] = graph.add_constant(first.name + ".merged_bias", stacked(graph, nodes, 2));
  for (NodeId id : nodes) {
    sizes.push_back(constant_of(graph, graph.node(id).inputs[1])->dim(0));
    split.outputs.push_back(graph.node(id).outputs[0]);
    for (std::string& source : sources_of(graph.node(id))) conv.sources.push_back(std::move(source));
  }
  const ir::Value& part = graph.value(first.outputs[0]);
  std::optional<SymbolicShape> shape = part.shape;
  (*shape)[1] = Dim(graph.value(conv.inputs[1]).constant.dim(0));
  const ValueId merged = graph.add_value(first.name + ".merged_output", part.type, std::move(shape));
  conv.outputs = {merged};
  split.name = first.name + ".split";
  split.inputs = {merged, graph.add_constant("sizes", from_integers(sizes))};
  for (NodeId id : nodes) graph.remove_node(id);
  graph.add_node(std::move(conv));
  graph.add_node(std::move(split));
}

}  // namespace

Result<bool> merge_convs_sharing_input(Graph& graph) {
  bool changed = false;
  for (NodeId id : graph.topological_order()) {
    if (!graph.alive(id) || !is_candidate(graph, id)) continue;
    std::vector<NodeId> twins = {id};
    for (NodeId other : graph.users(graph.node(id).inputs[0])) {
      const bool reads_same =
          other != id && is_candidate(graph, other) && graph.node(other).inputs[0] == graph.node(id).inputs[0];
      if (reads_same && alike(graph, id, other) && std::find(twins.begin(), twins.end(), other) == twins.end())
        twins.push_back(other);
    }
    if (twins.size() < 2) continue;
    std::sort(twins.begin(), twins.end());
    merge(graph, twins);
    changed = true;
  }
  return changed;
}

}  // namespace fovea::passes
