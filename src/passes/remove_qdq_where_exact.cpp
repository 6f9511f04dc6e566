// SPDX-License-Identifier: Apache-2.0
#include "passes/remove_qdq_where_exact.h"

#include <algorithm>

#include "passes/rewrite.h"

namespace fovea::passes {

namespace {

bool same_constant(const Graph& graph, ValueId a, ValueId b) {
  if (a == b) return true;
  const Tensor* left = constant_of(graph, a);
  const Tensor* right = constant_of(graph, b);
  return left && right && equal(AttributeValue(*left), AttributeValue(*right));
}

// Both use the same parameters; the dequantised integers have the type that is quantised to.
bool same_parameters(const Graph& graph, const Node& quantize, const Node& dequantize) {
  const auto parameter = [](const Node& node, int i) { return node.has_input(i) ? node.inputs[static_cast<std::size_t>(i)] : kNone; };
  const DataType from = type_of(graph, dequantize.inputs[0]), to = type_of(graph, quantize.outputs[0]);
  return from == to && from != DataType::undefined && same_constant(graph, quantize.inputs[1], dequantize.inputs[1]) &&
         same_constant(graph, parameter(quantize, 2), parameter(dequantize, 2)) &&
         quantize.attributes.get_int("axis", 1) == dequantize.attributes.get_int("axis", 1) &&
         quantize.attributes.get_int("block_size") == dequantize.attributes.get_int("block_size");
}

// Operators whose result consists of elements of their input, whatever they mean.
bool only_moves(const Node& node) {
  constexpr std::string_view kMoves[] = {"Reshape", "Transpose", "MaxPool", "Slice", "Squeeze", "Unsqueeze", "Flatten", "Expand", "DepthToSpace", "SpaceToDepth"};
  return node.outputs.size() == 1 && std::find(std::begin(kMoves), std::end(kMoves), node.op) != std::end(kMoves);
}

// A positive scale keeps the order, so that the largest stays the largest (MaxPool).
bool has_one_positive_scale(const Graph& graph, const Node& node) {
  const auto scale = scalar_of(graph, node.inputs[1]);
  return scale && *scale > 0;
}

bool remove_around(Graph& graph, NodeId quantize_id) {
  const Node& quantize = graph.node(quantize_id);
  const NodeId middle_id = graph.value(quantize.inputs[0]).producer;
  if (middle_id == kNone) return false;
  const Node& middle = graph.node(middle_id);
  if (middle.op == "DequantizeLinear") {
    return same_parameters(graph, quantize, middle) && bypass_node(graph, quantize_id, middle.inputs[0]);
  }
  if (!only_moves(middle) || !is_used_once(graph, quantize.inputs[0])) return false;
  const NodeId dequantize_id = producer_of(graph, middle.inputs[0], "DequantizeLinear");
  if (dequantize_id == kNone) return false;
  const Node& dequantize = graph.node(dequantize_id);
  if (!same_parameters(graph, quantize, dequantize) || !has_one_positive_scale(graph, dequantize)) return false;
  if (middle.op == "MaxPool" && type_of(graph, dequantize.inputs[0]) != DataType::u8 && type_of(graph, dequantize.inputs[0]) != DataType::i8) return false;
  Node moved = middle;
  moved.outputs.clear();
  moved.sources.clear();
  moved.inputs[0] = dequantize.inputs[0];
  replace_node(graph, quantize_id, std::move(moved), {middle_id, dequantize_id});
  return true;
}

}  // namespace

Result<bool> remove_qdq_where_exact(Graph& graph) {
  bool changed = false;
  for (NodeId id : graph.topological_order()) {
    if (graph.alive(id) && graph.node(id).op == "QuantizeLinear") changed = remove_around(graph, id) || changed;
  }
  return changed;
}

}  // namespace fovea::passes
