// SPDX-License-Identifier: Apache-2.0
#include "passes/sink_transposes.h"

#include <algorithm>

#include "ops/schema.h"
#include "passes/permutation.h"
#include "passes/reshape_target.h"
#include "passes/rewrite.h"

namespace fovea::passes {

namespace {

bool is_elementwise(const Node& node) {
  const ops::OperatorSchema* schema = ops::find_schema(node.op);
  return schema && (schema->traits & ops::kElementwise) && node.outputs.size() == 1 && node.op != "fovea::pointwise";
}

// One scale for the whole tensor: the parameters have nothing to transpose.
bool is_plain_quantization(const Graph& graph, const Node& node) {
  return (node.op == "QuantizeLinear" || node.op == "DequantizeLinear") && scalar_of(graph, node.inputs[1]);
}

bool is_reduction(const Node& node) { return node.op.starts_with("Reduce"); }

// The Transpose in front of input `i`, and its permutation.
struct Before {
  NodeId node = kNone;
  Permutation perm;
};

std::optional<Before> transpose_before(const Graph& graph, const Node& node, std::size_t i) {
  if (i >= node.inputs.size()) return std::nullopt;
  const NodeId id = producer_of(graph, node.inputs[i], "Transpose");
  if (id == kNone) return std::nullopt;
  auto perm = permutation_of(graph, id);
  if (!perm || rank_of(graph, graph.node(id).inputs[0]) != static_cast<int>(perm->size())) return std::nullopt;
  return Before{id, *std::move(perm)};
}

// A constant operand as it must look in front of the transpose; kNone if that cannot be said.
ValueId constant_before(Graph& graph, ValueId value, const Permutation& perm) {
  const Tensor tensor = *constant_of(graph, value);
  if (tensor.rank() > static_cast<int>(perm.size())) return kNone;
  if (tensor.elements() == 1 && tensor.rank() == 0) return value;
  Shape shape;
  for (int i = tensor.rank(); i < static_cast<int>(perm.size()); ++i) shape.push_back(1);
  for (std::int64_t extent : tensor.shape()) shape.push_back(extent);
  auto moved = permuted(tensor.reshaped(shape), inverse(perm));
  return moved.ok() ? graph.add_constant(graph.value(value).name, *std::move(moved)) : kNone;
}

// op(inputs) with the node's attributes, then a Transpose that takes over the node's output `o`.
void put_before_transpose(Graph& graph, NodeId id, Node moved, const Permutation& perm) {
  const ValueId output = graph.node(id).outputs[0];
  const ir::Value out = graph.value(output);
  const ValueId inner = graph.add_value(out.name, out.type,
                                        out.shape ? std::optional(permuted(*out.shape, inverse(perm))) : std::nullopt);
  moved.outputs = {inner};
  graph.add_node(std::move(moved));
  Attributes attributes;
  attributes.set("perm", perm);
  Node transpose;
  transpose.op = "Transpose";
  transpose.inputs = {inner};
  transpose.attributes = std::move(attributes);
  replace_node(graph, id, std::move(transpose));
}

bool merge_transposes(Graph& graph, NodeId id) {
  const auto first = transpose_before(graph, graph.node(id), 0);
  const auto second = permutation_of(graph, id);
  if (!first || !second) return false;
  Attributes attributes;
  attributes.set("perm", then(first->perm, *second));
  const ValueId x = graph.node(first->node).inputs[0];
  replace_node(graph, id, "Transpose", {x}, std::move(attributes), {first->node});
  return true;
}

// Only extents of 1 change places: the bytes stay as they are.
bool transpose_to_reshape(Graph& graph, NodeId id) {
  const auto perm = permutation_of(graph, id);
  const SymbolicShape* shape = shape_of(graph, graph.node(id).inputs[0]);
  if (!perm || !shape || is_identity(*perm)) return false;
  Permutation moving;
  for (std::int64_t axis : *perm) {
    if (!((*shape)[static_cast<std::size_t>(axis)] == Dim(1))) moving.push_back(axis);
  }
  if (!std::is_sorted(moving.begin(), moving.end())) return false;
  const auto target = reshape_target(graph, graph.node(id).inputs[0], graph.node(id).outputs[0]);
  if (!target) return false;
  const ValueId x = graph.node(id).inputs[0], constant = graph.add_constant("shape", from_integers(*target));
  replace_node(graph, id, "Reshape", {x, constant});
  return true;
}

bool can_pass(const Graph& graph, const Node& node) {
  return node.op == "Concat" || node.op == "Slice" || node.op == "Pad" || is_reduction(node) || is_elementwise(node) ||
         is_plain_quantization(graph, node);
}

// Whether a transpose that moves on from here can meet another one. Otherwise it may as well stay where it is: behind a
// convolution it is often free, because of the layout its result has in memory.
bool leads_to_transpose(const Graph& graph, ValueId start) {
  constexpr std::size_t kFarthest = 64;
  std::vector<ValueId> reached = {start};
  for (std::size_t i = 0; i < reached.size() && i < kFarthest; ++i) {
    if (reached[i] == kNone) continue;
    for (NodeId user : graph.users(reached[i])) {
      const Node& node = graph.node(user);
      if (node.op == "Transpose") return true;
      if (!can_pass(graph, node) || node.outputs.size() != 1) continue;
      if (std::find(reached.begin(), reached.end(), node.outputs[0]) == reached.end())
        reached.push_back(node.outputs[0]);
    }
  }
  return false;
}

// Elementwise work and Concat: every operand transposed alike, or constant.
bool sink_past_many(Graph& graph, NodeId id) {
  const Node node = graph.node(id);
  const bool concat = node.op == "Concat";
  const bool quantization = is_plain_quantization(graph, node);
  if ((!concat && !quantization && !is_elementwise(node)) || !leads_to_transpose(graph, node.outputs[0])) return false;
  const std::size_t operands = quantization ? 1 : node.inputs.size();
  std::optional<Before> before;
  for (std::size_t i = 0; i < operands; ++i) {
    if (node.inputs[i] == kNone || constant_of(graph, node.inputs[i])) continue;
    auto here = transpose_before(graph, node, i);
    if (!here || (before && here->perm != before->perm)) return false;
    const auto& users = graph.users(node.inputs[i]);
    if (graph.is_graph_output(node.inputs[i]) ||
        std::any_of(users.begin(), users.end(), [&](NodeId user) { return user != id; }))
      return false;
    if (!concat && !have_same_shape(graph, node.inputs[i], node.outputs[0])) return false;
    before = std::move(here);
  }
  if (!before || is_identity(before->perm)) return false;
  Node moved = node;
  for (std::size_t i = 0; i < operands; ++i) {
    ValueId& input = moved.inputs[i];
    if (input == kNone) continue;
    input = constant_of(graph, input) ? constant_before(graph, input, before->perm)
                                      : graph.node(graph.value(input).producer).inputs[0];
    if (input == kNone) return false;
  }
  if (concat) {
    std::int64_t axis = node.attributes.get_int("axis");
    axis += axis < 0 ? static_cast<std::int64_t>(before->perm.size()) : 0;
    if (axis < 0 || axis >= static_cast<std::int64_t>(before->perm.size())) return false;
    moved.attributes.set("axis", before->perm[static_cast<std::size_t>(axis)]);
  }
  put_before_transpose(graph, id, std::move(moved), before->perm);
  return true;
}

// The axes input `i` of a node, mapped to the axes in front of the transpose.
std::optional<std::vector<std::int64_t>> mapped_axes(const Graph& graph, const Node& node, int i,
                                                     const Permutation& perm) {
  auto axes = node.has_input(i) ? integers_of(graph, node.inputs[static_cast<std::size_t>(i)]) : std::nullopt;
  if (!axes) return std::nullopt;
  for (std::int64_t& axis : *axes) {
    axis += axis < 0 ? static_cast<std::int64_t>(perm.size()) : 0;
    if (axis < 0 || axis >= static_cast<std::int64_t>(perm.size())) return std::nullopt;
    axis = perm[static_cast<std::size_t>(axis)];
  }
  return axes;
}

bool sink_past_one(Graph& graph, NodeId id) {
  const Node node = graph.node(id);
  const bool reduction = is_reduction(node) && node.attributes.get_int("keepdims", 1) != 0;
  if ((!reduction && node.op != "Slice" && node.op != "Pad") || node.outputs.size() != 1) return false;
  if (!leads_to_transpose(graph, node.outputs[0])) return false;
  const auto before = transpose_before(graph, node, 0);
  if (!before || is_identity(before->perm) || !is_used_once(graph, node.inputs[0])) return false;
  const std::size_t rank = before->perm.size();
  Node moved = node;
  moved.inputs[0] = graph.node(before->node).inputs[0];
  if (node.op == "Pad") {
    const auto pads = integers_of(graph, node.inputs[1]);
    if (!pads || node.has_input(3) || pads->size() != 2 * rank) return false;
    std::vector<std::int64_t> mapped(2 * rank);
    for (std::size_t i = 0; i < rank; ++i) {
      mapped[static_cast<std::size_t>(before->perm[i])] = (*pads)[i];
      mapped[rank + static_cast<std::size_t>(before->perm[i])] = (*pads)[rank + i];
    }
    moved.inputs[1] = graph.add_constant("pads", from_integers(mapped));
  } else {
    const int at = node.op == "Slice" ? 3 : 1;
    const auto axes = mapped_axes(graph, node, at, before->perm);
    if (!axes) return false;
    moved.inputs[static_cast<std::size_t>(at)] = graph.add_constant("axes", from_integers(*axes));
  }
  put_before_transpose(graph, id, std::move(moved), before->perm);
  return true;
}

}  // namespace

Result<bool> sink_transposes(Graph& graph) {
  bool changed = false;
  for (NodeId id : graph.topological_order()) {
    if (!graph.alive(id)) continue;
    if (graph.node(id).op == "Transpose") {
      changed = merge_transposes(graph, id) || transpose_to_reshape(graph, id) || changed;
    } else {
      changed = sink_past_many(graph, id) || sink_past_one(graph, id) || changed;
    }
  }
  return changed;
}

}  // namespace fovea::passes
