// SPDX-License-Identifier: Apache-2.0
#include "passes/split_gathers.h"

#include <algorithm>
#include <numeric>

#include "passes/rewrite.h"

namespace fovea::passes {

namespace {

constexpr std::size_t kMaxPieces = 12;

// Channels of a value, in order.
struct Piece {
  ValueId source = kNone;
  std::vector<std::int64_t> channels;
};

bool is_channel_gather(const Graph& graph, NodeId id) {
  if (id == kNone || graph.node(id).op != "Gather" || graph.node(id).attributes.get_int("axis") != 1) return false;
  const Tensor* indices = constant_of(graph, graph.node(id).inputs[1]);
  const std::int64_t channels = channels_of(graph, graph.node(id).inputs[0]);
  const auto list = indices && indices->rank() == 1 ? integers_of(graph, graph.node(id).inputs[1]) : std::nullopt;
  return list && std::all_of(list->begin(), list->end(), [&](std::int64_t i) { return i >= 0 && i < channels; });
}

bool is_channel_concat(const Graph& graph, NodeId id) {
  if (id == kNone || graph.node(id).op != "Concat") return false;
  const Node& node = graph.node(id);
  const std::int64_t axis = node.attributes.get_int("axis"), rank = rank_of(graph, node.outputs[0]);
  return (axis == 1 || axis == 1 - rank) &&
         std::all_of(node.inputs.begin(), node.inputs.end(), [&](ValueId v) { return channels_of(graph, v) >= 0; });
}

// Nobody but channel gathers reads it: it need not exist.
bool only_gathers_read(const Graph& graph, ValueId value) {
  const auto& users = graph.users(value);
  return !graph.is_graph_output(value) &&
         std::all_of(users.begin(), users.end(), [&](NodeId user) { return is_channel_gather(graph, user); });
}

void append(std::vector<Piece>& pieces, ValueId source, std::int64_t channel) {
  if (pieces.empty() || pieces.back().source != source || pieces.back().channels.back() + 1 != channel)
    pieces.push_back({source, {}});
  pieces.back().channels.push_back(channel);
}

// Where each channel of `value` comes from, past gathers and concatenations that need not exist.
void trace(const Graph& graph, ValueId value, std::int64_t channel, std::vector<Piece>& pieces) {
  for (;;) {
    const NodeId producer = graph.value(value).producer;
    if (is_channel_gather(graph, producer)) {
      channel = (*integers_of(graph, graph.node(producer).inputs[1]))[static_cast<std::size_t>(channel)];
      value = graph.node(producer).inputs[0];
      continue;
    }
    if (!is_channel_concat(graph, producer) || !only_gathers_read(graph, value)) break;
    for (ValueId part : graph.node(producer).inputs) {
      const std::int64_t count = channels_of(graph, part);
      value = part;
      if (channel < count) break;
      channel -= count;
    }
  }
  append(pieces, value, channel);
}

ValueId make(Graph& graph, const Piece& piece, std::string_view hint) {
  const auto count = static_cast<std::int64_t>(piece.channels.size());
  if (count == channels_of(graph, piece.source)) return piece.source;
  SymbolicShape shape = *shape_of(graph, piece.source);
  shape[1] = Dim(count);
  const std::int64_t first = piece.channels[0];
  const DataType type = type_of(graph, piece.source);
  const std::vector<ValueId> inputs = {piece.source, graph.add_constant("start", from_integers({first})),
                                       graph.add_constant("end", from_integers({first + count})),
                                       graph.add_constant("axis", from_integers({1}))};
  return add_typed_node(graph, "Slice", hint, inputs, {}, type, std::move(shape));
}

// The value of `id` (a gather, or a concatenation with gathers among its parts) put together from pieces.
bool rebuild(Graph& graph, NodeId id) {
  const Node node = graph.node(id);
  std::vector<Piece> pieces;
  const bool concat = is_channel_concat(graph, id);
  if (!concat && !is_channel_gather(graph, id)) return false;
  if (concat) {
    if (only_gathers_read(graph, node.outputs[0])) return false;
    const bool has_gather = std::any_of(node.inputs.begin(), node.inputs.end(), [&](ValueId v) {
      return is_channel_gather(graph, graph.value(v).producer) && is_used_once(graph, v);
    });
    if (!has_gather) return false;
    for (ValueId part : node.inputs) {
      for (std::int64_t c = 0; c < channels_of(graph, part); ++c) trace(graph, part, c, pieces);
    }
  } else {
    for (std::int64_t c = 0; c < channels_of(graph, node.outputs[0]); ++c) trace(graph, node.outputs[0], c, pieces);
    if (pieces.size() < 2 ||
        std::all_of(pieces.begin(), pieces.end(), [&](const Piece& p) { return p.source == node.inputs[0]; }))
      return false;
  }
  if (pieces.size() > kMaxPieces) return false;
  std::vector<ValueId> parts;
  for (const Piece& piece : pieces) parts.push_back(make(graph, piece, node.name + ".piece"));
  Attributes attributes;
  attributes.set("axis", std::int64_t{1});
  replace_node(graph, id, "Concat", std::move(parts), std::move(attributes));
  return true;
}

}  // namespace

Result<bool> split_gathers(Graph& graph) {
  bool changed = false;
  // Last ones first: they must see the gathers they look through.
  const std::vector<NodeId> order = graph.topological_order();
  for (auto id = order.rbegin(); id != order.rend(); ++id) {
    if (graph.alive(*id)) changed = rebuild(graph, *id) || changed;
  }
  return changed;
}

}  // namespace fovea::passes
