// SPDX-License-Identifier: Apache-2.0
#include "passes/lower_layer_norm.h"

#include "base/check.h"
#include "passes/rewrite.h"

namespace fovea::passes {

namespace {

constexpr std::int64_t kColumns = 256;

/// Why the plugin does not compute this node; empty if it does.
std::string refusal(const Graph& graph, const Node& node, LayerNormPlugin plugin) {
  const ValueId x = node.inputs[0];
  const int rank = rank_of(graph, x);
  if (rank < 1) return "an input of unknown rank";
  if (type_of(graph, x) != DataType::f32) return str_cat("type ", name(type_of(graph, x)), ", the plugin computes f32");
  const std::int64_t axis = node.attributes.get_int("axis", -1);
  if (axis != -1 && axis != rank - 1) return "more axes than the last";
  const Dim& columns = shape_of(graph, x)->back();
  if (!columns.is_constant() || columns.constant() != kColumns) return str_cat(columns.to_string(), " columns, the plugin computes ", kColumns);
  if (plugin == LayerNormPlugin::V1 && rank != 3) return str_cat("rank ", rank, ", the plugin computes rank 3");
  const double epsilon = node.attributes.get_float("epsilon", 1e-5);
  if (plugin == LayerNormPlugin::V2 && !is_near(epsilon, 1e-5, DataType::f32)) return str_cat("epsilon ", epsilon, ", the plugin computes with 1e-5");
  return node.outputs.size() == 1 ? std::string() : "statistics as outputs";
}

void lower(Graph& graph, NodeId id) {
  const Node norm = graph.node(id);
  const ValueId x = norm.inputs[0], y = norm.outputs[0];
  const bool scaled = uniform_of(graph, norm.inputs[1]) != 1.0;
  const bool shifted = norm.has_input(2) && uniform_of(graph, norm.inputs[2]) != 0.0;
  Attributes attributes;
  attributes.set("epsilon", norm.attributes.get_float("epsilon", 1e-5));
  const auto step = [&](std::string_view op, std::vector<ValueId> inputs, Attributes given, bool last) {
    if (!last) return add_typed_node(graph, op, str_cat(graph.value(y).name, ".", op), std::move(inputs), std::move(given), type_of(graph, x), graph.value(x).shape);
    replace_node(graph, id, op, std::move(inputs), std::move(given));
    return y;
  };
  ValueId value = step("LayerNorm", {x}, std::move(attributes), !scaled && !shifted);
  if (scaled) value = step("Mul", {value, norm.inputs[1]}, {}, !shifted);
  if (shifted) step("Add", {value, norm.inputs[2]}, {}, true);
}

}  // namespace

LoweredNorms lower_layer_norm(Graph& graph, LayerNormPlugin plugin) {
  LoweredNorms result;
  for (NodeId id : graph.topological_order()) {
    if (!graph.alive(id) || graph.node(id).op != "LayerNormalization") continue;
    const std::string why = refusal(graph, graph.node(id), plugin);
    if (why.empty()) {
      lower(graph, id);
      ++result.lowered;
    } else {
      result.left.push_back(str_cat("node '", graph.node(id).name, "' stays: ", why));
    }
  }
  return result;
}

}  // namespace fovea::passes
