// SPDX-License-Identifier: Apache-2.0
#include "passes/fuse_group_norm.h"

#include <algorithm>

#include "passes/rewrite.h"

namespace fovea::passes {

namespace {

bool is_uniform(const Graph& graph, ValueId value, double number) {
  const auto found = uniform_of(graph, value);
  return found && *found == number;
}

// Of a normalisation of [N, G, ...] over everything behind G: one factor and one summand per group, or nothing.
struct PerGroup {
  std::vector<double> scale, bias;
};
std::optional<PerGroup> per_group(const Graph& graph, const Node& norm, std::int64_t groups) {
  const auto count = static_cast<std::size_t>(groups);
  if (norm.op == "InstanceNormalization") {
    const Tensor *scale = constant_of(graph, norm.inputs[1]), *bias = constant_of(graph, norm.inputs[2]);
    if (!scale || !bias || scale->elements() != groups || bias->elements() != groups) return std::nullopt;
    return PerGroup{to_doubles(*scale), to_doubles(*bias)};
  }
  const int rank = rank_of(graph, norm.inputs[0]);
  const std::int64_t axis = norm.attributes.get_int("axis", -1);
  const bool all_behind = (axis < 0 ? axis + rank : axis) == 2;
  const bool no_bias = !norm.has_input(2) || is_uniform(graph, norm.inputs[2], 0);
  if (!all_behind || !no_bias || !is_uniform(graph, norm.inputs[1], 1) || norm.outputs.size() != 1) return std::nullopt;
  return PerGroup{std::vector<double>(count, 1), std::vector<double>(count, 0)};
}

std::vector<double> repeated(const std::vector<double>& per_group, std::int64_t channels) {
  std::vector<double> per_channel;
  const std::int64_t each = channels / static_cast<std::int64_t>(per_group.size());
  for (const double value : per_group) per_channel.insert(per_channel.end(), static_cast<std::size_t>(each), value);
  return per_channel;
}

bool fuse_group_norm_at(Graph& graph, NodeId last) {
  // 1. Reshape(norm(Reshape(x))), each of use only to the next.
  const ValueId normal = graph.node(last).inputs[0];
  const NodeId norm_id = std::max(producer_of(graph, normal, "InstanceNormalization"), producer_of(graph, normal, "LayerNormalization"));
  if (norm_id == kNone || !is_used_once(graph, normal)) return false;
  const Node norm = graph.node(norm_id);
  const ValueId grouped = norm.inputs[0];
  const NodeId first = producer_of(graph, grouped, "Reshape");
  if (first == kNone || !is_used_once(graph, grouped)) return false;
  // 2. [N, C, ...] as [N, G, ...] and back.
  const ValueId x = graph.node(first).inputs[0];
  const SymbolicShape *shape = shape_of(graph, x), *split = shape_of(graph, grouped);
  if (!shape || !split || shape->size() < 2 || split->size() < 3 || !have_same_shape(graph, x, graph.node(last).outputs[0])) return false;
  const Dim &channels = (*shape)[1], &groups = (*split)[1];
  if (!((*shape)[0] == (*split)[0]) || !channels.is_constant() || !groups.is_constant()) return false;
  const std::int64_t c = channels.constant(), g = groups.constant();
  if (c < 1 || g < 1 || c % g != 0) return false;
  const auto parameters = per_group(graph, norm, g);
  if (!parameters) return false;
  // 3. One scale and bias per channel.
  const DataType type = type_of(graph, x);
  const ValueId scale = graph.add_constant("scale", from_doubles(type, Shape{c}, repeated(parameters->scale, c)));
  const ValueId bias = graph.add_constant("bias", from_doubles(type, Shape{c}, repeated(parameters->bias, c)));
  Attributes attributes;
  attributes.set("num_groups", g);
  attributes.set("epsilon", norm.attributes.get_float("epsilon", 1e-5));
  replace_node(graph, last, "GroupNormalization", {x, scale, bias}, std::move(attributes), {norm_id});
  return true;
}

}  // namespace

Result<bool> fuse_group_norm(Graph& graph) {
  bool changed = false;
  for (NodeId id : graph.topological_order()) {
    if (graph.alive(id) && graph.node(id).op == "Reshape") changed = fuse_group_norm_at(graph, id) || changed;
  }
  return changed;
}

}  // namespace fovea::passes
