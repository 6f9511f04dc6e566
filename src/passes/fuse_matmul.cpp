// SPDX-License-Identifier: Apache-2.0
#include "passes/fuse_matmul.h"

#include "passes/permutation.h"
#include "passes/post_ops.h"
#include "passes/rewrite.h"

namespace fovea::passes {

namespace {

bool is_real(DataType type) {
  return type == DataType::f32 || type == DataType::f64 || type == DataType::f16 || type == DataType::bf16;
}

// A product as fovea::matmul, without what stands around it.
std::optional<Node> plain_product(Graph& graph, const Node& node) {
  if ((node.op != "MatMul" && node.op != "Gemm") || !is_real(type_of(graph, node.inputs[0]))) return std::nullopt;
  Node product;
  product.op = "fovea::matmul";
  product.inputs = {node.inputs[0], node.inputs[1]};
  if (node.op == "MatMul") return product;
  if (node.attributes.get_int("transA")) product.attributes.set("transA", std::int64_t{1});
  if (node.attributes.get_int("transB")) product.attributes.set("transB", std::int64_t{1});
  if (const double alpha = node.attributes.get_float("alpha", 1); alpha != 1) product.attributes.set("scale", alpha);
  const double beta = node.attributes.get_float("beta", 1);
  if (!node.has_input(2) || beta == 0) return product;
  ValueId bias = node.inputs[2];
  if (beta != 1) {
    const Tensor* constant = constant_of(graph, bias);
    if (!constant) return std::nullopt;
    std::vector<double> values = to_doubles(*constant);
    for (double& v : values) v *= beta;
    bias = graph.add_constant(graph.value(bias).name, from_doubles(constant->type(), constant->shape(), values));
  }
  product.inputs.push_back(bias);
  return product;
}

void take_transposes(Graph& graph, Node& product) {
  for (std::size_t i : {0u, 1u}) {
    const NodeId transpose = producer_of(graph, product.inputs[i], "Transpose");
    if (transpose == kNone) continue;
    const auto perm = permutation_of(graph, transpose);
    if (!perm || !swaps_last_two(*perm)) continue;
    const char* attribute = i == 0 ? "transA" : "transB";
    product.inputs[i] = graph.node(transpose).inputs[0];
    product.attributes.set(attribute, std::int64_t{1} - product.attributes.get_int(attribute));
  }
}

// x * c with a constant scalar in front of an operand.
void take_operand_scales(Graph& graph, Node& product) {
  for (std::size_t i : {0u, 1u}) {
    const NodeId mul = producer_of(graph, product.inputs[i], "Mul");
    if (mul == kNone || !is_used_once(graph, product.inputs[i])) continue;
    const ValueId x = graph.node(mul).inputs[0];
    const auto factor = scalar_of(graph, graph.node(mul).inputs[1]);
    if (!factor || !have_same_shape(graph, x, product.inputs[i])) continue;
    product.inputs[i] = x;
    product.attributes.set("scale", product.attributes.get_float("scale", 1) * *factor);
  }
}

// Mul by a constant scalar behind the product, before any bias.
NodeId take_scale(Graph& graph, NodeId id) {
  const ValueId output = graph.node(id).outputs[0];
  if (!is_used_once(graph, output) || graph.node(id).has_input(2)) return id;
  const NodeId next = graph.users(output)[0];
  const Node& node = graph.node(next);
  if ((node.op != "Mul" && node.op != "Div") || node.inputs[0] != output) return id;
  const auto factor = scalar_of(graph, node.inputs[1]);
  if (!factor || !have_same_shape(graph, output, node.outputs[0]) || (node.op == "Div" && *factor == 0)) return id;
  Node fused = graph.node(id);
  fused.outputs.clear();
  fused.sources.clear();
  fused.attributes.set("scale", fused.attributes.get_float("scale", 1) * (node.op == "Mul" ? *factor : 1 / *factor));
  return replace_node(graph, next, std::move(fused), {id});
}

// Add of a constant, or of a vector along the last axis, that does not enlarge the product.
NodeId take_bias(Graph& graph, NodeId id) {
  const ValueId output = graph.node(id).outputs[0];
  if (!is_used_once(graph, output) || graph.node(id).has_input(2)) return id;
  const NodeId next = graph.users(output)[0];
  const Node& add = graph.node(next);
  if (add.op != "Add" || add.inputs[0] == add.inputs[1] || !have_same_shape(graph, output, add.outputs[0])) return id;
  const ValueId bias = add.inputs[add.inputs[0] == output ? 1 : 0];
  if (!constant_of(graph, bias) && rank_of(graph, bias) != 1) return id;
  Node fused = graph.node(id);
  fused.outputs.clear();
  fused.sources.clear();
  fused.inputs.resize(3, kNone);
  fused.inputs[2] = bias;
  return replace_node(graph, next, std::move(fused), {id});
}

// Mul by one constant per column behind product and bias: the weights and the bias take it (layer scale).
NodeId take_column_factors(Graph& graph, NodeId id) {
  const Node product = graph.node(id);
  if (!is_used_once(graph, product.outputs[0])) return id;
  const NodeId next = graph.users(product.outputs[0])[0];
  const Node& mul = graph.node(next);
  if (mul.op != "Mul" || mul.inputs[0] == mul.inputs[1] || !have_same_shape(graph, product.outputs[0], mul.outputs[0]))
    return id;
  const Tensor* factor = constant_of(graph, mul.inputs[mul.inputs[0] == product.outputs[0] ? 1 : 0]);
  const Tensor* weights = constant_of(graph, product.inputs[1]);
  const Tensor* bias = product.has_input(2) ? constant_of(graph, product.inputs[2]) : nullptr;
  if (!factor || !weights || weights->rank() != 2 || factor->rank() < 1 || (product.has_input(2) && !bias)) return id;
  const bool transposed = product.attributes.get_int("transB") != 0;
  const std::int64_t columns = weights->dim(transposed ? 0 : 1), rows = weights->dim(transposed ? 1 : 0);
  if (factor->elements() != columns || factor->dim(factor->rank() - 1) != columns) return id;
  if (bias && (bias->rank() != 1 || bias->elements() != columns)) return id;
  const std::vector<double> factors = to_doubles(*factor);
  std::vector<double> scaled = to_doubles(*weights);
  for (std::size_t i = 0; i < scaled.size(); ++i) {
    const auto at = static_cast<std::int64_t>(i);
    scaled[i] *= factors[static_cast<std::size_t>(transposed ? at / rows : at % columns)];
  }
  const Tensor new_weights = from_doubles(weights->type(), weights->shape(), scaled);
  Tensor new_bias;
  if (bias) {
    std::vector<double> summands = to_doubles(*bias);
    for (std::size_t c = 0; c < summands.size(); ++c) summands[c] *= factors[c];
    new_bias = from_doubles(bias->type(), bias->shape(), summands);
  }
  // Adding a constant moves the others: nothing above may be read from here on.
  Node fused = product;
  fused.outputs.clear();
  fused.sources.clear();
  fused.inputs[1] = graph.add_constant(graph.value(product.inputs[1]).name, new_weights);
  if (new_bias.defined()) fused.inputs[2] = graph.add_constant(graph.value(product.inputs[2]).name, new_bias);
  return replace_node(graph, next, std::move(fused), {id});
}

}  // namespace

Result<bool> fuse_matmul(Graph& graph) {
  bool changed = false;
  for (NodeId id : graph.topological_order()) {
    if (!graph.alive(id)) continue;
    auto product = plain_product(graph, graph.node(id));
    if (!product) continue;
    take_operand_scales(graph, *product);
    take_transposes(graph, *product);
    take_operand_scales(graph, *product);
    const NodeId fused = replace_node(graph, id, *std::move(product));
    absorb_post_ops(graph, take_column_factors(graph, take_bias(graph, take_scale(graph, fused))));
    changed = true;
  }
  return changed;
}

}  // namespace fovea::passes
