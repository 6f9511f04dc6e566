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
  const auto parameter = [](const Node& node, int i) {
    return node.has_input(i) ? node.inputs[static_cast<std::size_t>(i)] : kNone;
  };
  const DataType from = type_of(graph, dequantize.inputs[0]), to = type_of(graph, quantize.outputs[0]);
  return from == to && from != DataType::undefined && same_constant(graph, quantize.inputs[1], dequantize.inputs[1]) &&
         same_constant(graph, parameter(quantize, 2), parameter(dequantize, 2)) &&
         quantize.attributes.get_int("axis", 1) == dequantize.attributes.get_int("axis", 1) &&
         quantize.attributes.get_int("block_size") == dequantize.attributes.get_int("block_size");
}

// Operators whose result consists of elements of their first input, whatever they mean.
bool only_moves(const Node& node) {
  return node.outputs.size() == 1 &&
         is_any(node.op, {"Reshape", "Transpose", "MaxPool", "Slice", "Squeeze", "Unsqueeze", "Flatten", "Expand",
                          "Gather", "DepthToSpace", "SpaceToDepth"});
}

bool pads_with_zero(const Graph& graph, const Node& node) {
  if (node.op != "Pad") return false;
  const auto value = node.has_input(2) ? scalar_of(graph, node.inputs[2]) : std::optional<double>(0);
  return value && *value == 0;
}

// A positive scale keeps the order, so that the largest stays the largest.
bool has_one_positive_scale(const Graph& graph, const Node& node) {
  const auto scale = scalar_of(graph, node.inputs[1]);
  return scale && *scale > 0;
}

// The value consists of numbers that `quantize` maps to an integer and its DequantizeLinear maps back.
bool lies_on_grid(const Graph& graph, ValueId value, const Node& quantize, int depth = 0) {
  const Node* producer = value == kNone ? nullptr : graph.producer(value);
  if (!producer || depth > 32) return false;
  if (producer->op == "DequantizeLinear") return same_parameters(graph, quantize, *producer);
  // Zero is on every grid: it is the zero point.
  if (only_moves(*producer) || producer->op == "Relu" || pads_with_zero(graph, *producer))
    return lies_on_grid(graph, producer->inputs[0], quantize, depth + 1);
  if (!is_any(producer->op, {"Concat", "Max", "Min"})) return false;
  return std::all_of(producer->inputs.begin(), producer->inputs.end(),
                     [&](ValueId v) { return lies_on_grid(graph, v, quantize, depth + 1); });
}

bool remove_pair(Graph& graph, NodeId dequantize_id) {
  const Node& dequantize = graph.node(dequantize_id);
  const NodeId quantize_id = producer_of(graph, dequantize.inputs[0], "QuantizeLinear");
  if (quantize_id == kNone) return false;
  const Node& quantize = graph.node(quantize_id);
  if (!same_parameters(graph, quantize, dequantize) ||
      type_of(graph, quantize.inputs[0]) != type_of(graph, dequantize.outputs[0]))
    return false;
  const bool direct = producer_of(graph, quantize.inputs[0], "DequantizeLinear") != kNone;
  if (!direct && !has_one_positive_scale(graph, quantize)) return false;
  return lies_on_grid(graph, quantize.inputs[0], quantize) && bypass_node(graph, dequantize_id, quantize.inputs[0]);
}

bool remove_around_move(Graph& graph, NodeId quantize_id) {
  const Node& quantize = graph.node(quantize_id);
  const NodeId middle_id = graph.value(quantize.inputs[0]).producer;
  if (middle_id == kNone) return false;
  const Node& middle = graph.node(middle_id);
  if (middle.op == "DequantizeLinear") {
    return same_parameters(graph, quantize, middle) && bypass_node(graph, quantize_id, middle.inputs[0]);
  }
  if (!only_moves(middle) || middle.op == "MaxPool" || !is_used_once(graph, quantize.inputs[0])) return false;
  const NodeId dequantize_id = producer_of(graph, middle.inputs[0], "DequantizeLinear");
  if (dequantize_id == kNone) return false;
  const Node& dequantize = graph.node(dequantize_id);
  if (!same_parameters(graph, quantize, dequantize) || !has_one_positive_scale(graph, dequantize)) return false;
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
  // Pairs first: in floats the tuned kernels do the moving.
  for (NodeId id : graph.topological_order()) {
    if (graph.alive(id) && graph.node(id).op == "DequantizeLinear") changed = remove_pair(graph, id) || changed;
  }
  for (NodeId id : graph.topological_order()) {
    if (graph.alive(id) && graph.node(id).op == "QuantizeLinear") changed = remove_around_move(graph, id) || changed;
  }
  return changed;
}

}  // namespace fovea::passes
