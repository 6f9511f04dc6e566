// SPDX-License-Identifier: Apache-2.0
#include "passes/fuse_value_and_offset.h"

#include "passes/dcnv4_pixels.h"
#include "passes/rewrite.h"

namespace fovea::passes {

namespace {

// rows = x * weights + bias, both as numbers: weights [in][out], bias empty or [out].
struct Projection {
  ValueId x = kNone;
  std::int64_t in = 0, out = 0;
  std::vector<NodeId> nodes;
  std::vector<double> weights = {}, bias = {};
};

bool take_weights(const Graph& graph, ValueId value, bool transposed, Projection& projection) {
  const Tensor* tensor = constant_of(graph, value);
  if (!tensor || tensor->rank() != 2) return false;
  projection.in = tensor->dim(transposed ? 1 : 0);
  projection.out = tensor->dim(transposed ? 0 : 1);
  projection.weights = to_doubles(*tensor);
  if (!transposed) return true;
  const std::vector<double> stored = projection.weights;
  for (std::size_t i = 0; i < stored.size(); ++i) {
    const auto at = static_cast<std::int64_t>(i);
    projection.weights[static_cast<std::size_t>(at % projection.in * projection.out + at / projection.in)] = stored[i];
  }
  return true;
}

bool take_bias(const Graph& graph, ValueId value, Projection& projection) {
  const Tensor* tensor = constant_of(graph, value);
  if (!tensor || tensor->rank() < 1 || tensor->elements() != projection.out || tensor->dim(tensor->rank() - 1) != projection.out) return false;
  projection.bias = to_doubles(*tensor);
  return true;
}

std::optional<Projection> match_gemm(const Graph& graph, NodeId id) {
  const Node& node = graph.node(id);
  Projection projection{.x = node.inputs[0], .nodes = {id}};
  const Attributes& given = node.attributes;
  if (given.get_int("transA") != 0 || given.get_float("alpha", 1) != 1 || given.get_float("beta", 1) != 1) return std::nullopt;
  if (!take_weights(graph, node.inputs[1], given.get_int("transB") != 0, projection)) return std::nullopt;
  if (node.has_input(2) && !take_bias(graph, node.inputs[2], projection)) return std::nullopt;
  return projection;
}

std::optional<Projection> match_projection(const Graph& graph, ValueId rows) {
  const NodeId last = graph.value(rows).producer;
  if (last == kNone || !is_used_once(graph, rows)) return std::nullopt;
  const Node& node = graph.node(last);
  if (node.op == "Gemm") return match_gemm(graph, last);
  Projection projection;
  if (node.op == "MatMul") {
    projection = {.x = node.inputs[0], .nodes = {last}};
    if (!take_weights(graph, node.inputs[1], false, projection)) return std::nullopt;
    return projection;
  }
  if (node.op != "Add") return std::nullopt;
  const int constant = constant_of(graph, node.inputs[0]) ? 0 : 1;
  const ValueId product = node.inputs[constant == 0 ? 1 : 0];
  const NodeId matmul = producer_of(graph, product, "MatMul");
  if (matmul == kNone || !is_used_once(graph, product) || !have_same_shape(graph, product, rows)) return std::nullopt;
  projection = {.x = graph.node(matmul).inputs[0], .nodes = {matmul, last}};
  if (!take_weights(graph, graph.node(matmul).inputs[1], false, projection)) return std::nullopt;
  if (!take_bias(graph, node.inputs[static_cast<std::size_t>(constant)], projection)) return std::nullopt;
  return projection;
}

// Both side by side, with `width` columns.
std::vector<double> side_by_side(const std::vector<double>& left, const std::vector<double>& right, std::int64_t rows, const Projection& value,
                                 const Projection& offset, std::int64_t width) {
  std::vector<double> result(static_cast<std::size_t>(rows * width));
  for (std::int64_t row = 0; row < rows; ++row) {
    const auto to = result.begin() + row * width;
    if (!left.empty()) std::copy_n(left.begin() + row * value.out, value.out, to);
    if (!right.empty()) std::copy_n(right.begin() + row * offset.out, offset.out, to + value.out);
  }
  return result;
}

ValueId add_projection(Graph& graph, const Projection& value, const Projection& offset, ValueId like) {
  const std::int64_t width = (value.out + offset.out + 7) / 8 * 8;
  const DataType type = type_of(graph, like);
  SymbolicShape shape = *shape_of(graph, like);
  shape.back() = Dim(width);
  const std::vector<double> weights = side_by_side(value.weights, offset.weights, value.in, value, offset, width);
  const ValueId w = graph.add_constant("value_and_offset_weights", from_doubles(type, {value.in, width}, weights));
  const ValueId product = add_typed_node(graph, "MatMul", "value_and_offset_product", {value.x, w}, {}, type, shape);
  if (value.bias.empty() && offset.bias.empty()) return product;
  const std::vector<double> bias = side_by_side(value.bias, offset.bias, 1, value, offset, width);
  const ValueId b = graph.add_constant("value_and_offset_bias", from_doubles(type, {width}, bias));
  return add_typed_node(graph, "Add", "value_and_offset_rows", {product, b}, {}, type, std::move(shape));
}

bool fuse_value_and_offset_at(Graph& graph, NodeId id) {
  const Node& node = graph.node(id);
  if (!size_keeping_dcnv4(graph, id) || !is_used_once(graph, node.inputs[0]) || !is_used_once(graph, node.inputs[1])) return false;
  const auto value = pixel_rows(graph, node.inputs[0]), offset = pixel_rows(graph, node.inputs[1]);
  if (!value || !offset || (value->reshape == kNone) != (offset->reshape == kNone)) return false;
  if (rank_of(graph, value->rows) != rank_of(graph, offset->rows) || type_of(graph, value->rows) == DataType::undefined) return false;
  const auto to_value = match_projection(graph, value->rows), to_offset = match_projection(graph, offset->rows);
  if (!to_value || !to_offset || to_value->x != to_offset->x || to_value->out != value->channels || to_offset->out != offset->channels) return false;
  std::vector<NodeId> replaced = to_value->nodes;
  replaced.insert(replaced.end(), to_offset->nodes.begin(), to_offset->nodes.end());
  if (value->reshape != kNone) replaced.insert(replaced.end(), {value->reshape, offset->reshape});
  const ValueId both = add_projection(graph, *to_value, *to_offset, value->rows);
  read_both_from(graph, id, both, value->reshape, replaced);
  return true;
}

}  // namespace

Result<bool> fuse_value_and_offset(Graph& graph) {
  bool changed = false;
  for (NodeId id : graph.topological_order()) {
    if (graph.alive(id) && fuse_value_and_offset_at(graph, id)) changed = true;
  }
  return changed;
}

}  // namespace fovea::passes
