// SPDX-License-Identifier: Apache-2.0
#include "passes/rewrite.h"

#include <algorithm>

#include "base/check.h"

namespace fovea::passes {

std::vector<std::string> sources_of(const Node& node) {
  return node.sources.empty() ? std::vector<std::string>{node.name} : node.sources;
}

namespace {

// Values in `kept` count as used.
void remove_if_dead(Graph& graph, NodeId id, const std::vector<ValueId>& kept) {
  if (id == kNone || !graph.alive(id)) return;
  for (ValueId output : graph.node(id).outputs) {
    if (output != kNone && (is_used(graph, output) || std::find(kept.begin(), kept.end(), output) != kept.end()))
      return;
  }
  const std::vector<ValueId> inputs = graph.node(id).inputs;
  graph.remove_node(id);
  for (ValueId input : inputs) {
    if (input != kNone) remove_if_dead(graph, graph.value(input).producer, kept);
  }
}

}  // namespace

void remove_if_dead(Graph& graph, NodeId id) { remove_if_dead(graph, id, {}); }

NodeId replace_node(Graph& graph, NodeId old, Node fresh, const std::vector<NodeId>& replaced) {
  std::vector<std::string> sources = sources_of(graph.node(old));
  for (NodeId id : replaced) {
    if (id == old) continue;
    for (std::string& source : sources_of(graph.node(id))) sources.push_back(std::move(source));
  }
  std::sort(sources.begin(), sources.end());
  sources.erase(std::unique(sources.begin(), sources.end()), sources.end());
  const std::vector<ValueId> inputs = graph.node(old).inputs;
  fresh.outputs = graph.node(old).outputs;
  if (fresh.name.empty()) fresh.name = graph.node(old).name;
  if (fresh.sources.empty() && (sources.size() > 1 || sources[0] != fresh.name)) fresh.sources = std::move(sources);
  // What dies goes first, so that the new node may have its name.
  graph.remove_node(old);
  for (ValueId input : inputs) {
    if (input != kNone) remove_if_dead(graph, graph.value(input).producer, fresh.inputs);
  }
  return graph.add_node(std::move(fresh));
}

NodeId replace_node(Graph& graph, NodeId old, std::string_view op, std::vector<ValueId> inputs, Attributes attributes,
                    const std::vector<NodeId>& replaced) {
  Node fresh;
  fresh.op = std::string(op);
  fresh.inputs = std::move(inputs);
  fresh.attributes = std::move(attributes);
  return replace_node(graph, old, std::move(fresh), replaced);
}

bool bypass_node(Graph& graph, NodeId id, ValueId value) {
  ValueId output = kNone;
  for (ValueId candidate : graph.node(id).outputs) {
    if (candidate == kNone || !is_used(graph, candidate)) continue;
    if (output != kNone) return false;
    output = candidate;
  }
  if (output == kNone) return false;
  const bool is_output = graph.is_graph_output(output);
  const NodeId producer = graph.value(value).producer;
  if (is_output && (producer == kNone || graph.is_graph_output(value))) return false;
  if (!is_output) {
    graph.replace_uses(output, value);
    remove_if_dead(graph, id);
    return true;
  }
  // The producer of `value` now produces the graph output itself, so that its name stays.
  const auto& outputs = graph.node(producer).outputs;
  const auto index = static_cast<int>(std::find(outputs.begin(), outputs.end(), value) - outputs.begin());
  const std::vector<ValueId> inputs = graph.node(id).inputs;
  if (graph.value(output).type.element == DataType::undefined) graph.value(output).type = graph.value(value).type;
  if (!graph.value(output).shape) graph.value(output).shape = graph.value(value).shape;
  graph.remove_node(id);
  graph.set_output(producer, index, output);
  graph.replace_uses(value, output);
  for (ValueId input : inputs) {
    if (input != kNone) remove_if_dead(graph, graph.value(input).producer);
  }
  return true;
}

void change_input(Graph& graph, NodeId node, int index, ValueId value) {
  const ValueId before = graph.node(node).inputs[static_cast<std::size_t>(index)];
  graph.set_input(node, index, value);
  if (before != kNone && before != value) remove_if_dead(graph, graph.value(before).producer);
}

ValueId add_typed_node(Graph& graph, std::string_view op, std::string_view hint, std::vector<ValueId> inputs,
                       Attributes attributes, DataType type, std::optional<SymbolicShape> shape) {
  const ValueId value = graph.add_node(op, hint, std::move(inputs), std::move(attributes));
  graph.value(value).type = {ValueType::Kind::Tensor, type};
  graph.value(value).shape = std::move(shape);
  return value;
}

}  // namespace fovea::passes
