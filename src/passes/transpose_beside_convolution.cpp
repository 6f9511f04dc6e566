// SPDX-License-Identifier: Apache-2.0
#include "passes/transpose_beside_convolution.h"

#include "passes/permutation.h"
#include "passes/reshape_target.h"
#include "passes/rewrite.h"

namespace fovea::passes {

namespace {

const Permutation kToChannelsLast = {0, 2, 3, 1}, kToChannelsFirst = {0, 3, 1, 2}, kSwapRows = {0, 2, 1};

Attributes with_perm(const Permutation& perm) {
  Attributes attributes;
  attributes.set("perm", perm);
  return attributes;
}

// [N, C, H, W] flattened to [N, C, H*W].
bool is_flattened(const SymbolicShape& picture, const SymbolicShape& rows) {
  return picture.size() == 4 && rows.size() == 3 && picture[0] == rows[0] && picture[1] == rows[1];
}

// Reshape, then Transpose.
bool picture_to_rows(Graph& graph, NodeId transpose) {
  const ValueId middle = graph.node(transpose).inputs[0];
  const NodeId reshape = producer_of(graph, middle, "Reshape");
  if (reshape == kNone || !is_used_once(graph, middle) || permutation_of(graph, transpose) != kSwapRows) return false;
  const ValueId x = graph.node(reshape).inputs[0];
  const SymbolicShape* picture = shape_of(graph, x);
  const SymbolicShape* rows = shape_of(graph, middle);
  if (!picture || !rows || !is_flattened(*picture, *rows)) return false;
  const ValueId turned = add_typed_node(graph, "Transpose", graph.value(middle).name, {x}, with_perm(kToChannelsLast),
                                        type_of(graph, x), permuted(*picture, kToChannelsLast));
  const auto target = reshape_target(graph, turned, graph.node(transpose).outputs[0]);
  if (!target) {
    graph.remove_node(graph.value(turned).producer);
    return false;
  }
  const ValueId shape = graph.add_constant("shape", from_integers(*target));
  replace_node(graph, transpose, "Reshape", {turned, shape}, {}, {reshape});
  return true;
}

// Transpose, then Reshape.
bool rows_to_picture(Graph& graph, NodeId reshape) {
  const ValueId middle = graph.node(reshape).inputs[0], y = graph.node(reshape).outputs[0];
  const NodeId transpose = producer_of(graph, middle, "Transpose");
  if (transpose == kNone || !is_used_once(graph, middle) || permutation_of(graph, transpose) != kSwapRows) return false;
  const ValueId x = graph.node(transpose).inputs[0];
  const SymbolicShape* picture = shape_of(graph, y);
  const SymbolicShape* rows = shape_of(graph, middle);
  if (!picture || !rows || !is_flattened(*picture, *rows)) return false;
  const ValueId folded =
      graph.add_value(graph.value(middle).name, graph.value(x).type, permuted(*picture, kToChannelsLast));
  const auto target = reshape_target(graph, x, folded);
  if (!target) return false;
  Node fold;
  fold.op = "Reshape";
  fold.name = graph.node(reshape).name;
  fold.inputs = {x, graph.add_constant("shape", from_integers(*target))};
  fold.outputs = {folded};
  graph.add_node(std::move(fold));
  replace_node(graph, reshape, "Transpose", {folded}, with_perm(kToChannelsFirst), {transpose});
  return true;
}

}  // namespace

Result<bool> transpose_beside_convolution(Graph& graph) {
  bool changed = false;
  for (NodeId id : graph.topological_order()) {
    if (!graph.alive(id)) continue;
    if (graph.node(id).op == "Transpose")
      changed = picture_to_rows(graph, id) || changed;
    else if (graph.node(id).op == "Reshape")
      changed = rows_to_picture(graph, id) || changed;
  }
  return changed;
}

}  // namespace fovea::passes
