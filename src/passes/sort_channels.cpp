// SPDX-License-Identifier: Apache-2.0
// Two walks over the same readers: the first only asks, the second changes. `order[c]` is the old channel that stands
// at place c from now on.
#include "passes/sort_channels.h"

#include <algorithm>
#include <cstring>
#include <numeric>
#include <set>

#include "passes/post_ops.h"
#include "passes/rewrite.h"

namespace fovea::passes {

namespace {

using Order = std::vector<std::int64_t>;

bool is_channel_gather(const Graph& graph, const Node& node) {
  return node.op == "Gather" && node.attributes.get_int("axis") == 1 && integers_of(graph, node.inputs[1]) &&
         constant_of(graph, node.inputs[1])->rank() == 1;
}

// Rows of blocks along `axis` in a new order.
Tensor reordered(const Tensor& tensor, int axis, const Order& order) {
  Tensor result = Tensor::allocate(tensor.type(), tensor.shape()).value();
  std::size_t inner = size_of(tensor.type()), outer = 1;
  for (int i = axis + 1; i < tensor.rank(); ++i) inner *= static_cast<std::size_t>(tensor.dim(i));
  for (int i = 0; i < axis; ++i) outer *= static_cast<std::size_t>(tensor.dim(i));
  const auto* src = static_cast<const std::byte*>(tensor.raw());
  auto* dst = static_cast<std::byte*>(result.raw());
  for (std::size_t o = 0; o < outer; ++o) {
    for (std::size_t c = 0; c < order.size(); ++c) {
      std::memcpy(dst + (o * order.size() + c) * inner,
                  src + (o * order.size() + static_cast<std::size_t>(order[c])) * inner, inner);
    }
  }
  return result;
}

// What becomes of a reordered value at one reader.
enum class Effect { Refuses, Absorbs, PassesOn };

class Reordering {
 public:
  explicit Reordering(Graph& graph) : graph_(graph) {}

  bool is_possible(ValueId value) {
    if (graph_.is_graph_output(value) || channels_of(graph_, value) < 0 || !visited_.insert(value).second) return false;
    for (NodeId user : readers(value)) {
      const Effect effect = effect_on(user, value);
      if (effect == Effect::Refuses) return false;
      if (effect == Effect::PassesOn && !is_possible(graph_.node(user).outputs[0])) return false;
    }
    return true;
  }

  void apply(ValueId value, const Order& order) {
    for (NodeId user : readers(value)) {
      const Node& node = graph_.node(user);
      if (is_channel_gather(graph_, node)) {
        remap_gather(user, order);
      } else if (is_convolution(node) && is_depthwise(node)) {
        reorder_constant(user, 1, 0, order);
        if (node.has_input(2)) reorder_constant(user, 2, 0, order);
        apply(node.outputs[0], order);
      } else if (is_convolution(node)) {
        reorder_constant(user, 1, 1, order);
      } else if (node.op == "Concat") {
        apply(node.outputs[0], whole_order(node, value, order));
      } else {
        apply(node.outputs[0], order);
      }
    }
  }

 private:
  std::vector<NodeId> readers(ValueId value) const {
    std::vector<NodeId> list = graph_.users(value);
    std::sort(list.begin(), list.end());
    return list;
  }

  static bool is_convolution(const Node& node) { return node.op == "Conv"; }

  bool is_depthwise(const Node& node) const {
    const Tensor& w = *constant_of(graph_, node.inputs[1]);
    return w.dim(1) == 1 && w.dim(0) == node.attributes.get_int("group", 1) && w.dim(0) > 1;
  }

  Effect effect_on(NodeId user, ValueId value) const {
    const Node& node = graph_.node(user);
    if (std::count(node.inputs.begin(), node.inputs.end(), value) != 1) return Effect::Refuses;
    if (is_channel_gather(graph_, node)) return Effect::Absorbs;
    if (is_convolution(node)) {
      if (node.inputs[0] != value || !constant_of(graph_, node.inputs[1])) return Effect::Refuses;
      if (node.attributes.get_int("group", 1) == 1 && constant_of(graph_, node.inputs[1])->dim(1) > 0)
        return Effect::Absorbs;
      const bool constant_bias = !node.has_input(2) || constant_of(graph_, node.inputs[2]);
      return is_depthwise(node) && constant_bias ? Effect::PassesOn : Effect::Refuses;
    }
    if (node.op == "Concat") {
      const int rank = rank_of(graph_, value);
      const std::int64_t axis = node.attributes.get_int("axis");
      const bool known =
          std::all_of(node.inputs.begin(), node.inputs.end(), [&](ValueId v) { return channels_of(graph_, v) >= 0; });
      return (axis == 1 || axis == 1 - rank) && known ? Effect::PassesOn : Effect::Refuses;
    }
    const bool pools = node.op == "MaxPool" || node.op == "AveragePool" || node.op == "GlobalAveragePool" ||
                       node.op == "GlobalMaxPool";
    if (node.outputs.size() != 1 || node.inputs[0] != value) return Effect::Refuses;
    if (pools || activation_of(graph_, user)) return Effect::PassesOn;
    return Effect::Refuses;
  }

  // The order of a concatenation of which one part is reordered.
  Order whole_order(const Node& concat, ValueId part, const Order& order) const {
    Order whole;
    std::int64_t first = 0;
    for (ValueId input : concat.inputs) {
      const std::int64_t channels = channels_of(graph_, input);
      for (std::int64_t c = 0; c < channels; ++c)
        whole.push_back(first + (input == part ? order[static_cast<std::size_t>(c)] : c));
      first += channels;
    }
    return whole;
  }

  void remap_gather(NodeId id, const Order& order) {
    std::vector<std::int64_t> place(order.size());
    for (std::size_t c = 0; c < order.size(); ++c)
      place[static_cast<std::size_t>(order[c])] = static_cast<std::int64_t>(c);
    std::vector<std::int64_t> indices = *integers_of(graph_, graph_.node(id).inputs[1]);
    for (std::int64_t& index : indices)
      index = place[static_cast<std::size_t>(index < 0 ? index + static_cast<std::int64_t>(order.size()) : index)];
    graph_.set_input(id, 1, graph_.add_constant("channels", from_integers(indices)));
  }

  void reorder_constant(NodeId id, int input, int axis, const Order& order) {
    const ValueId old = graph_.node(id).inputs[static_cast<std::size_t>(input)];
    graph_.set_input(id, input,
                     graph_.add_constant(graph_.value(old).name, reordered(*constant_of(graph_, old), axis, order)));
  }

  Graph& graph_;
  std::set<ValueId> visited_;
};

bool sort_gather(Graph& graph, NodeId id) {
  const Node& node = graph.node(id);
  if (!is_channel_gather(graph, node)) return false;
  std::vector<std::int64_t> indices = *integers_of(graph, node.inputs[1]);
  const std::int64_t channels = channels_of(graph, node.inputs[0]);
  const bool in_range =
      std::all_of(indices.begin(), indices.end(), [&](std::int64_t i) { return i >= 0 && i < channels; });
  if (!in_range || std::is_sorted(indices.begin(), indices.end())) return false;
  Order order(indices.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](std::int64_t a, std::int64_t b) {
    return indices[static_cast<std::size_t>(a)] < indices[static_cast<std::size_t>(b)];
  });
  Reordering reordering(graph);
  const ValueId output = node.outputs[0];
  if (!reordering.is_possible(output)) return false;
  reordering.apply(output, order);
  std::sort(indices.begin(), indices.end());
  graph.set_input(id, 1, graph.add_constant("channels", from_integers(indices)));
  return true;
}

}  // namespace

Result<bool> sort_channels(Graph& graph) {
  bool changed = false;
  for (NodeId id : graph.topological_order()) {
    if (graph.alive(id)) changed = sort_gather(graph, id) || changed;
  }
  return changed;
}

}  // namespace fovea::passes
