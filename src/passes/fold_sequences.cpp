// SPDX-License-Identifier: Apache-2.0
#include "passes/fold_sequences.h"

#include "passes/rewrite.h"

namespace fovea::passes {

namespace {

constexpr int kLongest = 4096;  // inserts that are followed

std::optional<std::int64_t> position_of(const Graph& graph, const Node& node, int input, std::int64_t fallback) {
  if (!node.has_input(input)) return fallback;
  const auto position = scalar_of(graph, node.inputs[static_cast<std::size_t>(input)]);
  return position ? std::optional(static_cast<std::int64_t>(*position)) : std::nullopt;
}

std::optional<std::vector<ValueId>> items_of(const Graph& graph, ValueId sequence, int depth = 0) {
  const Node* producer = graph.producer(sequence);
  if (!producer || depth > kLongest) return std::nullopt;
  if (producer->op == "SequenceEmpty") return std::vector<ValueId>();
  if (producer->op == "SequenceConstruct") return producer->inputs;
  if (producer->op == "Identity") return items_of(graph, producer->inputs[0], depth + 1);
  if (producer->op != "SequenceInsert") return std::nullopt;
  auto items = items_of(graph, producer->inputs[0], depth + 1);
  if (!items) return std::nullopt;
  const auto count = static_cast<std::int64_t>(items->size());
  auto position = position_of(graph, *producer, 2, count);
  if (!position || *position < -count || *position > count) return std::nullopt;
  items->insert(items->begin() + (*position < 0 ? *position + count : *position), producer->inputs[1]);
  return items;
}

bool fold_concat(Graph& graph, NodeId id) {
  const Node node = graph.node(id);
  const auto items = items_of(graph, node.inputs[0]);
  if (!items || items->empty()) return false;
  std::vector<ValueId> parts = *items;
  const std::int64_t axis = node.attributes.get_int("axis");
  if (node.attributes.get_int("new_axis") != 0) {
    const ValueId axes = graph.add_constant("axis", from_integers({axis}));
    for (ValueId& part : parts) part = graph.add_node("Unsqueeze", graph.value(part).name, {part, axes});
  }
  Attributes attributes;
  attributes.set("axis", axis);
  replace_node(graph, id, "Concat", std::move(parts), std::move(attributes));
  return true;
}

bool fold_at(Graph& graph, NodeId id) {
  const Node& node = graph.node(id);
  const auto position = position_of(graph, node, 1, 0);
  if (!position) return false;
  if (const auto items = items_of(graph, node.inputs[0])) {
    const auto count = static_cast<std::int64_t>(items->size());
    const std::int64_t at = *position + (*position < 0 ? count : 0);
    if (at < 0 || at >= count) return false;
    const ValueId item = (*items)[static_cast<std::size_t>(at)];
    if (bypass_node(graph, id, item)) return true;
    replace_node(graph, id, "Identity", {item});
    return true;
  }
  const NodeId split_id = producer_of(graph, node.inputs[0], "SplitToSequence");
  if (split_id == kNone) return false;
  const Node& split = graph.node(split_id);
  const auto sizes = split.has_input(1) ? integers_of(graph, split.inputs[1]) : std::nullopt;
  if (!sizes || graph.value(split.inputs[1]).constant.rank() != 1) return false;
  const auto count = static_cast<std::int64_t>(sizes->size());
  const std::int64_t at = *position + (*position < 0 ? count : 0);
  if (at < 0 || at >= count) return false;
  Node parts;
  parts.op = "Split";
  parts.name = split.name;
  parts.inputs = {split.inputs[0], graph.add_constant("sizes", from_integers(*sizes))};
  parts.attributes.set("axis", split.attributes.get_int("axis"));
  for (std::int64_t i = 0; i < count; ++i)
    parts.outputs.push_back(i == at ? node.outputs[0] : graph.add_value(split.name));
  graph.remove_node(id);
  graph.add_node(std::move(parts));
  remove_if_dead(graph, split_id);
  return true;
}

bool fold_length(Graph& graph, NodeId id) {
  const auto items = items_of(graph, graph.node(id).inputs[0]);
  if (!items) return false;
  const std::int64_t length = static_cast<std::int64_t>(items->size());
  const ValueId output = graph.node(id).outputs[0];
  const NodeId producer = graph.value(graph.node(id).inputs[0]).producer;
  graph.make_constant(output, Tensor::from(DataType::i64, {}, std::span<const std::int64_t>(&length, 1)));
  graph.remove_node(id);
  remove_if_dead(graph, producer);
  return true;
}

}  // namespace

Result<bool> fold_sequences(Graph& graph) {
  bool changed = false;
  for (NodeId id : graph.topological_order()) {
    if (!graph.alive(id)) continue;
    const std::string op = graph.node(id).op;
    if (op == "ConcatFromSequence")
      changed = fold_concat(graph, id) || changed;
    else if (op == "SequenceAt")
      changed = fold_at(graph, id) || changed;
    else if (op == "SequenceLength")
      changed = fold_length(graph, id) || changed;
  }
  return changed;
}

}  // namespace fovea::passes
