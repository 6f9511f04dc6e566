// SPDX-License-Identifier: Apache-2.0
#include "passes/eliminate_identities.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include "base/onnx_data_type.h"
#include "passes/rewrite.h"

namespace fovea::passes {

namespace {

bool is_output_as_input(const Graph& graph, const Node& node) {
  return have_same_shape(graph, node.inputs[0], node.outputs[0]);
}

// --- movement that moves nothing

bool is_still_transpose(const Graph& graph, const Node& node) {
  const int rank = rank_of(graph, node.inputs[0]);
  const auto perm = node.attributes.get_ints("perm");
  if (perm.empty()) return rank == 0 || rank == 1;
  return std::is_sorted(perm.begin(), perm.end());
}

bool is_still_pad(const Graph& graph, const Node& node) {
  const auto pads = integers_of(graph, node.has_input(1) ? node.inputs[1] : kNone);
  return pads && std::all_of(pads->begin(), pads->end(), [](std::int64_t p) { return p == 0; });
}

// With positive steps only the whole axis keeps its extent.
bool is_still_slice(const Graph& graph, const Node& node) {
  if (!is_output_as_input(graph, node)) return false;
  if (!node.has_input(4)) return true;
  const auto steps = integers_of(graph, node.inputs[4]);
  return steps && std::all_of(steps->begin(), steps->end(), [](std::int64_t s) { return s > 0; });
}

bool is_still_resize(const Graph& graph, const Node& node) {
  if (!is_output_as_input(graph, node) ||
      node.attributes.get_string("coordinate_transformation_mode") == "tf_crop_and_resize")
    return false;
  if (node.has_input(3)) return true;
  const auto scale = node.has_input(2) ? uniform_of(graph, node.inputs[2]) : std::nullopt;
  return scale && *scale == 1;
}

// Every index in order.
bool is_still_gather(const Graph& graph, const Node& node) {
  if (!is_output_as_input(graph, node)) return false;
  const auto indices = integers_of(graph, node.inputs[1]);
  if (!indices || constant_of(graph, node.inputs[1])->rank() != 1) return false;
  for (std::size_t i = 0; i < indices->size(); ++i) {
    if ((*indices)[i] != static_cast<std::int64_t>(i)) return false;
  }
  return true;
}

bool is_inference_dropout(const Graph& graph, const Node& node) {
  if (node.outputs.size() > 1 && node.outputs[1] != kNone && is_used(graph, node.outputs[1])) return false;
  if (!node.has_input(2)) return true;
  const auto training = uniform_of(graph, node.inputs[2]);
  return training && *training == 0;
}

// --- arithmetic with a neutral element: the index of the operand that is the result, or -1

int neutral_result(const Graph& graph, const Node& node) {
  if (!is_any(node.op, {"Add", "Sub", "Mul", "Div", "Pow"}) || node.inputs.size() != 2) return -1;
  const double neutral = node.op == "Add" || node.op == "Sub" ? 0 : 1;
  const bool either = node.op == "Add" || node.op == "Mul";
  for (int constant = 1; constant >= (either ? 0 : 1); --constant) {
    const auto number = uniform_of(graph, node.inputs[static_cast<std::size_t>(constant)]);
    const ValueId other = node.inputs[static_cast<std::size_t>(1 - constant)];
    if (!number || *number != neutral) continue;
    const Tensor& tensor = graph.value(node.inputs[static_cast<std::size_t>(constant)]).constant;
    const bool keeps_shape =
        have_same_shape(graph, other, node.outputs[0]) || (tensor.elements() == 1 && tensor.rank() == 0);
    if (keeps_shape) return 1 - constant;
  }
  return -1;
}

bool is_already(const Graph& graph, ValueId value, std::initializer_list<std::string_view> ops) {
  const Node* producer = value == kNone ? nullptr : graph.producer(value);
  return producer && is_any(producer->op, ops);
}

// --- casts

bool widens_exactly(DataType from, DataType to) {
  using T = DataType;
  switch (from) {
    case T::boolean: return to != T::string;
    case T::f16:
    case T::bf16: return to == T::f32 || to == T::f64;
    case T::f32: return to == T::f64;
    case T::i8:
      return to == T::i16 || to == T::i32 || to == T::i64 || to == T::f16 || to == T::bf16 || to == T::f32 ||
             to == T::f64;
    case T::u8:
      return to == T::i16 || to == T::u16 || to == T::i32 || to == T::u32 || to == T::i64 || to == T::u64 ||
             to == T::f16 || to == T::bf16 || to == T::f32 || to == T::f64;
    case T::i16: return to == T::i32 || to == T::i64 || to == T::f32 || to == T::f64;
    case T::u16: return to == T::i32 || to == T::u32 || to == T::i64 || to == T::u64 || to == T::f32 || to == T::f64;
    case T::i32: return to == T::i64 || to == T::f64;
    case T::u32: return to == T::i64 || to == T::u64 || to == T::f64;
    default: return false;
  }
}

// Cast(Cast(x)) through a type that holds every value of x.
bool shorten_casts(Graph& graph, NodeId id) {
  if (graph.node(id).op != "Cast") return false;
  const ValueId middle = graph.node(id).inputs[0];
  const NodeId first = producer_of(graph, middle, "Cast");
  if (first == kNone) return false;
  const ValueId x = graph.node(first).inputs[0];
  if (!widens_exactly(type_of(graph, x), type_of(graph, middle))) return false;
  change_input(graph, id, 0, x);
  return true;
}

// --- the whole node is its input

ValueId unchanged_input(const Graph& graph, const Node& node) {
  if (node.inputs.empty() || node.inputs[0] == kNone || node.outputs.empty() || node.outputs[0] == kNone) return kNone;
  const ValueId x = node.inputs[0];
  const std::string_view op = node.op;
  bool still = false;
  if (op == "Identity")
    still = true;
  else if (op == "Dropout")
    still = is_inference_dropout(graph, node);
  else if (op == "Cast")
    still = type_of(graph, x) != DataType::undefined &&
            type_of(graph, x) == data_type_from_onnx(node.attributes.get_int("to"));
  else if (is_any(op, {"Reshape", "Flatten", "Squeeze", "Unsqueeze", "Expand", "Tile"}))
    still = is_output_as_input(graph, node);
  else if (op == "Transpose")
    still = is_still_transpose(graph, node);
  else if (op == "Pad")
    still = is_still_pad(graph, node);
  else if (op == "Slice")
    still = is_still_slice(graph, node);
  else if (op == "Gather")
    still = is_still_gather(graph, node);
  else if (op == "Resize")
    still = is_still_resize(graph, node);
  else if (is_any(op, {"Concat", "Sum", "Max", "Min", "Mean"}))
    still = node.inputs.size() == 1;
  else if (op == "Split")
    still = node.outputs.size() == 1;
  else if (op == "Relu")
    still = is_already(graph, x, {"Relu", "Sigmoid", "Softplus", "Abs", "Exp", "Softmax", "HardSigmoid", "Sqrt"});
  else if (op == "Abs")
    still = is_already(graph, x, {"Abs", "Relu", "Sigmoid", "Softplus", "Exp", "Softmax"});
  else if (is_any(op, {"Floor", "Ceil", "Round", "Sign"}))
    still = is_already(graph, x, {op});
  else if (op == "Clip")
    still = !node.has_input(1) && !node.has_input(2);
  if (still) return x;
  if ((op == "Neg" || op == "Not") && is_already(graph, x, {op})) return graph.producer(x)->inputs[0];
  const int operand = neutral_result(graph, node);
  return operand < 0 ? kNone : node.inputs[static_cast<std::size_t>(operand)];
}

// --- Clip after Clip or Relu, Relu after Clip: one Clip

struct Range {
  double low = -std::numeric_limits<double>::infinity(), high = std::numeric_limits<double>::infinity();
};

std::optional<Range> range_of(const Graph& graph, const Node& node) {
  Range range;
  if (node.op == "Relu") range.low = 0;
  if (node.op == "Relu") return range;
  if (node.op != "Clip") return std::nullopt;
  for (int i : {1, 2}) {
    if (!node.has_input(i)) continue;
    const auto bound = uniform_of(graph, node.inputs[static_cast<std::size_t>(i)]);
    if (!bound || std::isnan(*bound)) return std::nullopt;
    (i == 1 ? range.low : range.high) = *bound;
  }
  return range.low <= range.high ? std::optional(range) : std::nullopt;
}

bool merge_clips(Graph& graph, NodeId id) {
  const Node& node = graph.node(id);
  if (node.inputs.empty() || node.inputs[0] == kNone) return false;
  const NodeId first = graph.value(node.inputs[0]).producer;
  const DataType type = type_of(graph, node.inputs[0]);
  if (first == kNone ||
      (type != DataType::f32 && type != DataType::f16 && type != DataType::bf16 && type != DataType::f64))
    return false;
  const auto outer = range_of(graph, node), inner = range_of(graph, graph.node(first));
  if (!outer || !inner) return false;
  const Range merged{std::clamp(inner->low, outer->low, outer->high), std::clamp(inner->high, outer->low, outer->high)};
  const auto bound = [&](double value, std::string_view hint) {
    return std::isinf(value) ? kNone : graph.add_constant(hint, from_doubles(type, {}, {value}));
  };
  std::vector<ValueId> inputs = {graph.node(first).inputs[0]};
  if (merged.low == 0 && std::isinf(merged.high)) {
    replace_node(graph, id, "Relu", inputs, {}, {first});
    return true;
  }
  const ValueId low = bound(merged.low, "low"), high = bound(merged.high, "high");
  inputs.push_back(low);
  if (high != kNone) inputs.push_back(high);
  replace_node(graph, id, "Clip", inputs, {}, {first});
  return true;
}

}  // namespace

Result<bool> eliminate_identities(Graph& graph) {
  bool changed = false;
  for (NodeId id : graph.topological_order()) {
    if (!graph.alive(id)) continue;
    if (shorten_casts(graph, id) || merge_clips(graph, id)) {
      changed = true;
      continue;
    }
    const ValueId same = unchanged_input(graph, graph.node(id));
    if (same != kNone) changed = bypass_node(graph, id, same) || changed;
  }
  return changed;
}

}  // namespace fovea::passes
