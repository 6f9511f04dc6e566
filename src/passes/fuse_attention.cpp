// SPDX-License-Identifier: Apache-2.0
#include "passes/fuse_attention.h"

#include <cmath>

#include "device/kernel_registry.h"
#include "passes/permutation.h"
#include "passes/rewrite.h"

namespace fovea::passes {

namespace {

struct AttentionParts {
  ValueId q = kNone, k_transposed = kNone, v = kNone, mask = kNone;
  double scale = 1;
  std::vector<NodeId> nodes;
};

// Strips x * c and x / c with a scalar constant; the factor collects in `scale`.
ValueId strip_scale(const Graph& graph, ValueId value, AttentionParts& parts) {
  for (;;) {
    const NodeId id = graph.value(value).producer;
    if (id == kNone || !is_used_once(graph, value)) return value;
    const Node& node = graph.node(id);
    if (node.op != "Mul" && node.op != "Div") return value;
    const auto right = scalar_of(graph, node.inputs[1]), left = scalar_of(graph, node.inputs[0]);
    if (right && *right > 0 && have_same_shape(graph, node.inputs[0], value)) {
      parts.scale *= node.op == "Mul" ? *right : 1 / *right;
      value = node.inputs[0];
    } else if (left && *left > 0 && node.op == "Mul" && have_same_shape(graph, node.inputs[1], value)) {
      parts.scale *= *left;
      value = node.inputs[1];
    } else {
      return value;
    }
    parts.nodes.push_back(id);
  }
}

std::optional<AttentionParts> match_attention(const Graph& graph, NodeId root) {
  const Node& product = graph.node(root);
  AttentionParts parts;
  parts.v = product.inputs[1];
  const NodeId softmax = producer_of(graph, product.inputs[0], "Softmax");
  if (softmax == kNone || !is_used_once(graph, product.inputs[0])) return std::nullopt;
  const std::int64_t axis = graph.node(softmax).attributes.get_int("axis", -1);
  if (rank_of(graph, product.inputs[0]) != 4 || (axis != -1 && axis != 3)) return std::nullopt;
  parts.nodes = {root, softmax};
  ValueId scores = graph.node(softmax).inputs[0];
  if (!is_used_once(graph, scores)) return std::nullopt;
  if (const NodeId add = producer_of(graph, scores, "Add"); add != kNone) {
    // The operand that leads to the product is the scores; the other is the mask.
    for (std::size_t i : {0u, 1u}) {
      const ValueId candidate = graph.node(add).inputs[i];
      AttentionParts probe;
      if (producer_of(graph, strip_scale(graph, candidate, probe), "MatMul") == kNone) continue;
      if (!is_used_once(graph, candidate) || !have_same_shape(graph, candidate, scores)) continue;
      parts.mask = graph.node(add).inputs[1 - i];
      parts.nodes.push_back(add);
      scores = candidate;
      break;
    }
    if (parts.mask == kNone) return std::nullopt;
  }
  scores = strip_scale(graph, scores, parts);
  const NodeId inner = producer_of(graph, scores, "MatMul");
  if (inner == kNone || !is_used_once(graph, scores)) return std::nullopt;
  parts.nodes.push_back(inner);
  parts.q = strip_scale(graph, graph.node(inner).inputs[0], parts);
  parts.k_transposed = strip_scale(graph, graph.node(inner).inputs[1], parts);
  return parts;
}

// Batches and heads must be the same extents, not merely broadcast.
bool has_matching_shapes(const Graph& graph, const AttentionParts& parts) {
  const SymbolicShape* q = shape_of(graph, parts.q);
  const SymbolicShape* k = shape_of(graph, parts.k_transposed);
  const SymbolicShape* v = shape_of(graph, parts.v);
  if (!q || !k || !v || q->size() != 4 || k->size() != 4 || v->size() != 4) return false;
  for (std::size_t axis : {0u, 1u}) {
    if (!((*q)[axis] == (*k)[axis]) || !((*q)[axis] == (*v)[axis])) return false;
  }
  if (parts.mask != kNone) {
    // Attention takes a shorter mask as one that hides the keys behind its end, where Add repeats a single column.
    const SymbolicShape* mask = shape_of(graph, parts.mask);
    if (!mask || (!mask->empty() && !(mask->back() == (*k)[3]))) return false;
  }
  const DataType type = type_of(graph, parts.q);
  return type == DataType::f32 && (parts.mask == kNone || type_of(graph, parts.mask) == type);
}

ValueId transposed_back(Graph& graph, ValueId k_transposed) {
  const NodeId transpose = producer_of(graph, k_transposed, "Transpose");
  if (transpose != kNone) {
    const auto perm = permutation_of(graph, transpose);
    if (perm && swaps_last_two(*perm)) return graph.node(transpose).inputs[0];
  }
  const Permutation swap = {0, 1, 3, 2};
  Attributes attributes;
  attributes.set("perm", swap);
  return add_typed_node(graph, "Transpose", graph.value(k_transposed).name, {k_transposed}, std::move(attributes),
                        type_of(graph, k_transposed), permuted(*shape_of(graph, k_transposed), swap));
}

}  // namespace

Result<bool> fuse_attention(Graph& graph) {
  if (kernels_of("cpu", "Attention").empty()) return false;
  bool changed = false;
  for (NodeId id : graph.topological_order()) {
    if (!graph.alive(id) || graph.node(id).op != "MatMul") continue;
    const auto parts = match_attention(graph, id);
    if (!parts || !has_matching_shapes(graph, *parts)) continue;
    Attributes attributes;
    attributes.set("scale", parts->scale);
    std::vector<ValueId> inputs = {parts->q, transposed_back(graph, parts->k_transposed), parts->v};
    if (parts->mask != kNone) inputs.push_back(parts->mask);
    replace_node(graph, id, "Attention", std::move(inputs), std::move(attributes), parts->nodes);
    changed = true;
  }
  return changed;
}

}  // namespace fovea::passes
