// SPDX-License-Identifier: Apache-2.0
#include "passes/hoist_channel_maps.h"

#include <algorithm>

#include "base/check.h"
#include "passes/channel_map.h"
#include "passes/channel_map_plan.h"
#include "passes/rewrite.h"
#include "passes/rows_product.h"
#include "passes/spatial_resize.h"

namespace fovea::passes {

namespace {

// Carries out a plan. Nodes that a map moves past stay what they are and where they are, with other channels.
class MapMover {
 public:
  MapMover(Graph& graph, NodeId root)
      : graph_(graph), name_(graph.node(root).name), sources_(sources_of(graph.node(root))) {}

  /// The value that is the map of `branch.value`.
  ValueId move(const MapBranch& branch, const ChannelMap& map) {
    switch (branch.kind) {
      case MapBranch::Kind::Stay: return convolve(branch.value, map);
      case MapBranch::Kind::Resize: before_resize(branch, map); break;
      case MapBranch::Kind::Sum: into_operands(branch, map); break;
      case MapBranch::Kind::Concat: into_parts(branch, map); break;
      case MapBranch::Kind::Convolution: into_convolution(branch, map); break;
      case MapBranch::Kind::Product: into_product(branch, map); break;
    }
    set_channels(branch.value, map.out);
    return branch.value;
  }

 private:
  void set_channels(ValueId value, std::int64_t channels) { (*graph_.value(value).shape)[1] = Dim(channels); }

  ValueId convolve(ValueId x, const ChannelMap& map) {
    std::vector<ValueId> inputs = {x, map.weights};
    if (map.bias != kNone) inputs.push_back(map.bias);
    SymbolicShape shape = *shape_of(graph_, x);
    shape[1] = Dim(map.out);
    const ValueId y =
        add_typed_node(graph_, "Conv", name_ + ".hoisted", std::move(inputs), {}, type_of(graph_, x), std::move(shape));
    graph_.node(graph_.value(y).producer).sources = sources_;
    return y;
  }

  void before_resize(const MapBranch& branch, const ChannelMap& map) {
    Node resize = without_channel_axes(graph_, graph_.value(branch.value).producer);
    resize.inputs[0] = move(branch.parts[0], map);
    replace_node(graph_, graph_.value(branch.value).producer, std::move(resize));
  }

  void into_operands(const MapBranch& branch, const ChannelMap& map) {
    const NodeId sum = graph_.value(branch.value).producer;
    for (int i : {0, 1}) {
      const ValueId moved = move(branch.parts[static_cast<std::size_t>(i)], i == 0 ? map : map.without_bias());
      graph_.set_input(sum, i, moved);
    }
  }

  void into_parts(const MapBranch& branch, const ChannelMap& map) {
    std::vector<ValueId> staying, addends;
    std::vector<ChannelRun> staying_runs;
    ChannelRun run;
    ChannelMap rest = map;  // the bias goes to the first addend
    for (const MapBranch& part : branch.parts) {
      run = {run.first + run.count, channels_of(graph_, part.value)};
      if (part.kind == MapBranch::Kind::Stay) {
        staying.push_back(part.value);
        staying_runs.push_back(run);
        continue;
      }
      addends.push_back(move(part, restricted(graph_, rest, {run})));
      rest = rest.without_bias();
    }
    if (!staying.empty())
      addends.push_back(convolve(concatenated(branch.value, staying), restricted(graph_, rest, staying_runs)));
    ValueId sum = addends[0];
    for (std::size_t i = 1; i + 1 < addends.size(); ++i) {
      sum = add_typed_node(graph_, "Add", name_ + ".sum", {sum, addends[i]}, {}, type_of(graph_, sum),
                           *shape_of(graph_, sum));
    }
    replace_node(graph_, graph_.value(branch.value).producer, "Add", {sum, addends.back()});
  }

  ValueId concatenated(ValueId like, const std::vector<ValueId>& parts) {
    if (parts.size() == 1) return parts[0];
    std::int64_t channels = 0;
    for (ValueId part : parts) channels += channels_of(graph_, part);
    SymbolicShape shape = *shape_of(graph_, like);
    shape[1] = Dim(channels);
    Attributes attributes;
    attributes.set("axis", std::int64_t{1});
    return add_typed_node(graph_, "Concat", graph_.value(like).name, parts, std::move(attributes),
                          type_of(graph_, like), std::move(shape));
  }

  void into_convolution(const MapBranch& branch, const ChannelMap& map) {
    const NodeId id = graph_.value(branch.value).producer;
    Node conv = graph_.node(id);
    const ValueId bias = composed_bias(graph_, map, conv.has_input(2) ? conv.inputs[2] : kNone);
    conv.inputs = {conv.inputs[0], composed_with_convolution(graph_, map, conv.inputs[1])};
    if (bias != kNone) conv.inputs.push_back(bias);
    conv.sources = with_sources(id);
    replace_node(graph_, id, std::move(conv));
  }

  void into_product(const MapBranch& branch, const ChannelMap& map) {
    const RowsProduct product = *rows_product_of(graph_, branch.value);
    const ValueId weights = composed_with_product(graph_, map, product.weights),
                  bias = composed_bias(graph_, map, product.bias);
    const NodeId conv = replace_by_convolution(graph_, product, weights, bias);
    graph_.node(conv).sources = with_sources(conv);
  }

  std::vector<std::string> with_sources(NodeId id) const {
    std::vector<std::string> all = sources_of(graph_.node(id));
    all.insert(all.end(), sources_.begin(), sources_.end());
    return all;
  }

  Graph& graph_;
  const std::string name_;
  const std::vector<std::string> sources_;
};

bool is_quantized(const Graph& graph, ValueId value) {
  const std::vector<NodeId>& users = graph.users(value);
  return std::any_of(users.begin(), users.end(), [&](NodeId user) { return graph.node(user).op == "QuantizeLinear"; });
}

bool hoist_map(Graph& graph, NodeId id) {
  const auto map = channel_map_of(graph, id);
  if (!map) return false;
  const ValueId x = graph.node(id).inputs[0], y = graph.node(id).outputs[0];
  if (is_quantized(graph, y)) return false;
  const NodeId follower = is_used_once(graph, y) ? graph.users(y)[0] : kNone;
  const MapBranch plan = plan_channel_map(graph, x, map->in, map->out, follower);
  if (plan.kind == MapBranch::Kind::Stay) return false;
  const ValueId moved = MapMover(graph, id).move(plan, *map);
  FOVEA_CHECK(bypass_node(graph, id, moved));
  return true;
}

}  // namespace

Result<bool> hoist_channel_maps(Graph& graph) {
  bool changed = false;
  for (NodeId id : graph.topological_order()) {
    if (graph.alive(id)) changed = hoist_map(graph, id) || changed;
  }
  return changed;
}

}  // namespace fovea::passes
