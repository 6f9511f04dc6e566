// SPDX-License-Identifier: Apache-2.0
#include "passes/recover_deform_attention.h"

#include "passes/deform_attention_pattern.h"
#include "passes/reshape_target.h"
#include "passes/rewrite.h"
#include "passes/strided_view.h"

namespace fovea::passes {

namespace {

constexpr std::string_view kOperator = "mmdeploy::MMCVMultiScaleDeformableAttention";

/// `value` seen in another shape; kNone if that shape cannot be said.
ValueId reshaped(Graph& graph, ValueId value, const SymbolicShape& shape) {
  const SymbolicShape from = *shape_of(graph, value);
  if (from == shape) return value;
  const auto target = reshape_target(&from, shape);
  if (!target) return kNone;
  const ValueId constant = graph.add_constant("shape", from_integers(*target));
  return add_typed_node(graph, "Reshape", graph.value(value).name, {value, constant}, {}, type_of(graph, value), shape);
}

/// The locations in 0..1 for coordinates in -1..1: (g + 1) / 2.
ValueId normalised(Graph& graph, ValueId value, const Affine& grid) {
  const double factor = grid.factor / 2, summand = (grid.summand + 1) / 2;
  const DataType type = type_of(graph, value);
  const auto apply = [&](std::string_view op, double by) {
    const SymbolicShape shape = *shape_of(graph, value);
    const ValueId constant = graph.add_constant("to_unit", from_doubles(type, {}, {by}));
    value = add_typed_node(graph, op, graph.value(value).name, {value, constant}, {}, type, shape);
  };
  if (factor != 1) apply("Mul", factor);
  if (summand != 0) apply("Add", summand);
  return value;
}

/// Behind the sum: the first value whose elements lie as the operator writes them ([N,Q,M,D] in order), or kNone.
ValueId find_result(const Graph& graph, const AttentionPattern& found, std::vector<NodeId>& nodes) {
  ValueId value = graph.node(found.sum).outputs[0];
  const Dim d(found.d), query = found.m * d;
  StridedView view({{{found.n, found.q * query}, {found.m, d}}, {{d, Dim(1)}}, {{found.q, query}}});
  if (!shape_of(graph, value) || !view.reshape(*shape_of(graph, value))) return kNone;
  while (!view.is_dense()) {
    if (!is_used_once(graph, value)) return kNone;
    const NodeId user = graph.users(value)[0];
    const Node& node = graph.node(user);
    if (node.outputs.size() != 1 || moved_from(graph, node.outputs[0]) != value || !follow_move(graph, node.outputs[0], view)) return kNone;
    nodes.push_back(user);
    value = node.outputs[0];
  }
  return value;
}

bool rewrite(Graph& graph, const AttentionPattern& found) {
  const Dim levels(found.levels()), points(found.points()), d(found.d);
  std::vector<NodeId> nodes = found.nodes;
  ValueId result = find_result(graph, found, nodes);
  // The samples are consumed in the order of the concatenation, so levels have its order too.
  const ValueId value = reshaped(graph, found.value, {found.n, Dim(found.rows), found.m, d});
  const ValueId locations = reshaped(graph, found.locations, {found.n, found.q, found.m, levels, points, Dim(2)});
  const ValueId weights = reshaped(graph, found.weights, {found.n, found.q, found.m, levels, points});
  if (value == kNone || locations == kNone || weights == kNone) return false;
  std::vector<std::int64_t> extents, first_rows;
  for (std::size_t l = 0; l < found.counts.size(); ++l) {
    for (std::int64_t i = 0; i < found.counts[l]; i += found.points()) {
      extents.insert(extents.end(), {found.heights[l], found.widths[l]});
      first_rows.push_back(found.starts[l]);
    }
  }
  const ValueId shapes = graph.add_constant("spatial_shapes", Tensor::from<std::int64_t>(DataType::i64, {found.levels(), 2}, extents));
  const ValueId starts = graph.add_constant("level_start_index", from_integers(first_rows));
  std::vector<ValueId> inputs = {value, shapes, starts, normalised(graph, locations, found.grid), weights};
  const SymbolicShape own = {found.n, found.q, found.m * d};
  const DataType type = type_of(graph, graph.node(found.sum).outputs[0]);
  if (result != kNone && *shape_of(graph, result) == own) {
    replace_node(graph, graph.value(result).producer, kOperator, std::move(inputs), {}, nodes);
    return true;
  }
  const bool needs_order = result == kNone;
  if (needs_order) result = graph.node(found.sum).outputs[0], nodes = found.nodes;
  const SymbolicShape wanted = *shape_of(graph, result), apart = {found.n, found.q, found.m, d}, ordered = {found.n, found.m, d, found.q};
  const auto split = reshape_target(&own, apart), last = reshape_target(needs_order ? &ordered : &own, wanted);
  if (!last || !split) return false;
  ValueId made = add_typed_node(graph, kOperator, "attention", std::move(inputs), {}, type, own);
  if (needs_order) {
    made = reshaped(graph, made, apart);
    Attributes order;
    order.set("perm", std::vector<std::int64_t>{0, 2, 3, 1});
    made = add_typed_node(graph, "Transpose", "attention_ordered", {made}, std::move(order), type, ordered);
  }
  replace_node(graph, graph.value(result).producer, "Reshape", {made, graph.add_constant("shape", from_integers(*last))}, {}, nodes);
  return true;
}

}  // namespace

Result<bool> recover_deform_attention(Graph& graph) {
  bool changed = false;
  for (NodeId id : graph.topological_order()) {
    if (!graph.alive(id) || graph.node(id).op != "ReduceSum") continue;
    if (const auto found = match_deform_attention(graph, id)) changed = rewrite(graph, *found) || changed;
  }
  return changed;
}

}  // namespace fovea::passes
