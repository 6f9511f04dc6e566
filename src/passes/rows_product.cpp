// SPDX-License-Identifier: Apache-2.0
#include "passes/rows_product.h"

#include "passes/permutation.h"
#include "passes/rewrite.h"

namespace fovea::passes {

namespace {

// The node that makes `value`, if it is `op` and nothing else reads the value.
NodeId only_producer_of(const Graph& graph, ValueId value, std::string_view op) {
  return is_used_once(graph, value) ? producer_of(graph, value, op) : kNone;
}

// The target of a Reshape to [N, H, W, C] whose last number says C, or -1.
std::optional<std::vector<std::int64_t>> picture_target(const Graph& graph, const Node& reshape,
                                                        std::int64_t channels) {
  const auto target = integers_of(graph, reshape.inputs[1]);
  if (!target || target->size() != 4) return std::nullopt;
  return target->back() == channels || target->back() == -1 ? target : std::nullopt;
}

// The picture of this shape whose rows are `rows`, if there is one already: Reshape(Transpose(picture)).
ValueId picture_behind(const Graph& graph, ValueId rows, const SymbolicShape& shape) {
  const NodeId reshape = producer_of(graph, rows, "Reshape");
  if (reshape == kNone) return kNone;
  const NodeId transpose = producer_of(graph, graph.node(reshape).inputs[0], "Transpose");
  if (transpose == kNone || permutation_of(graph, transpose) != Permutation{0, 2, 3, 1}) return kNone;
  const ValueId picture = graph.node(transpose).inputs[0];
  const SymbolicShape* found = shape_of(graph, picture);
  return found && *found == shape ? picture : kNone;
}

ValueId as_picture(Graph& graph, ValueId rows, const SymbolicShape& channels_last,
                   const std::vector<std::int64_t>& target, const Attributes& attributes) {
  const Permutation perm = {0, 3, 1, 2};
  const SymbolicShape shape = permuted(channels_last, perm);
  if (const ValueId found = picture_behind(graph, rows, shape); found != kNone) return found;
  const std::string hint = graph.value(rows).name;
  const ValueId reshaped =
      add_typed_node(graph, "Reshape", hint, {rows, graph.add_constant("shape", from_integers(target))}, attributes,
                     type_of(graph, rows), channels_last);
  Attributes turn;
  turn.set("perm", perm);
  return add_typed_node(graph, "Transpose", hint, {reshaped}, std::move(turn), type_of(graph, rows), shape);
}

}  // namespace

std::optional<RowsProduct> rows_product_of(const Graph& graph, ValueId y) {
  RowsProduct found;
  found.transpose = producer_of(graph, y, "Transpose");
  if (found.transpose == kNone || permutation_of(graph, found.transpose) != Permutation{0, 3, 1, 2})
    return std::nullopt;
  const ValueId picture = graph.node(found.transpose).inputs[0];
  found.reshape = only_producer_of(graph, picture, "Reshape");
  if (found.reshape == kNone) return std::nullopt;
  const std::int64_t channels = channels_of(graph, y);
  ValueId rows = graph.node(found.reshape).inputs[0];
  const SymbolicShape* shape = shape_of(graph, rows);
  if (!picture_target(graph, graph.node(found.reshape), channels) || !shape || shape->size() < 2 ||
      !(shape->back() == Dim(channels)))
    return std::nullopt;
  found.add = only_producer_of(graph, rows, "Add");
  if (found.add != kNone) {
    const std::vector<ValueId>& operands = graph.node(found.add).inputs;
    const std::size_t constant = constant_of(graph, operands[0]) ? 0 : 1;
    const Tensor* bias = constant_of(graph, operands[constant]);
    if (!bias || bias->elements() != channels || bias->dim(bias->rank() - 1) != channels) return std::nullopt;
    if (!have_same_shape(graph, rows, operands[1 - constant])) return std::nullopt;
    found.bias = operands[constant];
    rows = operands[1 - constant];
  }
  found.matmul = only_producer_of(graph, rows, "MatMul");
  if (found.matmul == kNone) return std::nullopt;
  found.weights = graph.node(found.matmul).inputs[1];
  const Tensor* weights = constant_of(graph, found.weights);
  if (!weights || weights->rank() != 2 || weights->dim(1) != channels) return std::nullopt;
  return found;
}

NodeId replace_by_convolution(Graph& graph, const RowsProduct& product, ValueId weights, ValueId bias) {
  const std::int64_t k = constant_of(graph, product.weights)->dim(0);
  const Node reshape = graph.node(product.reshape);
  auto target = *integers_of(graph, reshape.inputs[1]);
  if (target.back() != -1) target.back() = k;
  SymbolicShape shape = *shape_of(graph, reshape.outputs[0]);
  shape.back() = Dim(k);
  const ValueId picture = as_picture(graph, graph.node(product.matmul).inputs[0], shape, target, reshape.attributes);
  Node conv;
  conv.op = "Conv";
  conv.name = graph.node(product.matmul).name;
  conv.inputs = {picture, weights};
  if (bias != kNone) conv.inputs.push_back(bias);
  std::vector<NodeId> replaced = {product.matmul, product.reshape};
  if (product.add != kNone) replaced.push_back(product.add);
  return replace_node(graph, product.transpose, std::move(conv), replaced);
}

}  // namespace fovea::passes
