// SPDX-License-Identifier: Apache-2.0
#include "passes/fuse_quantized_conv.h"

#include <cmath>

#include "passes/rewrite.h"

namespace fovea::passes {

namespace {

/// One DequantizeLinear: quantised value, scale, zero point (kNone: 0).
struct Quantized {
  NodeId node = kNone;
  ValueId value = kNone, scale = kNone, zero = kNone;
};

std::optional<Quantized> dequantized(const Graph& graph, ValueId value) {
  const NodeId id = producer_of(graph, value, "DequantizeLinear");
  if (id == kNone) return std::nullopt;
  const Node& node = graph.node(id);
  if (node.attributes.get_int("block_size", 0) != 0) return std::nullopt;
  return Quantized{id, node.inputs[0], node.inputs[1], node.has_input(2) ? node.inputs[2] : kNone};
}

bool is_byte(DataType type) { return type == DataType::i8 || type == DataType::u8; }

bool is_zero(const Graph& graph, ValueId zero) { return zero == kNone || uniform_of(graph, zero) == 0.0; }

bool is_scalar_scale(const Graph& graph, ValueId scale) { return type_of(graph, scale) == DataType::f32 && scalar_of(graph, scale).has_value(); }

/// The bias counts in units of sx * sw: then it can be added to the integer sums.
bool bias_fits(const Graph& graph, const Quantized& bias, const Quantized& x, const Quantized& w) {
  const Tensor* values = constant_of(graph, bias.value);
  const Tensor* own = constant_of(graph, bias.scale);
  const Tensor* weights = constant_of(graph, w.scale);
  const auto sx = scalar_of(graph, x.scale);
  if (!values || values->type() != DataType::i32 || !own || !weights || !sx || !is_zero(graph, bias.zero)) return false;
  const std::vector<double> sb = to_doubles(*own), sw = to_doubles(*weights);
  for (std::size_t i = 0; i < std::max(sb.size(), sw.size()); ++i) {
    const double wanted = *sx * sw[sw.size() == 1 ? 0 : i], found = sb[sb.size() == 1 ? 0 : i];
    if (!(std::abs(found - wanted) <= 1e-5 * std::abs(wanted))) return false;
  }
  return true;
}

struct Match {
  NodeId quantize = kNone, relu = kNone, product = kNone;
  Quantized x, w;
  std::optional<Quantized> bias;
};

std::optional<Match> match_quantized(const Graph& graph, NodeId id) {
  const Node& quantize = graph.node(id);
  Match m;
  m.quantize = id;
  if (!is_byte(type_of(graph, quantize.outputs[0])) || !quantize.has_input(2) || !is_scalar_scale(graph, quantize.inputs[1])) return std::nullopt;
  const auto zero = scalar_of(graph, quantize.inputs[2]);
  if (!zero) return std::nullopt;
  ValueId value = quantize.inputs[0];
  if (!is_used_once(graph, value)) return std::nullopt;
  if (const NodeId relu = producer_of(graph, value, "Relu"); relu != kNone) {
    if (*zero != (type_of(graph, quantize.outputs[0]) == DataType::i8 ? -128.0 : 0.0)) return std::nullopt;
    m.relu = relu;
    value = graph.node(relu).inputs[0];
    if (!is_used_once(graph, value)) return std::nullopt;
  }
  m.product = graph.value(value).producer;
  if (m.product == kNone) return std::nullopt;
  const Node& product = graph.node(m.product);
  if (product.op != "Conv" && product.op != "Gemm") return std::nullopt;
  const auto x = dequantized(graph, product.inputs[0]), w = dequantized(graph, product.inputs[1]);
  if (!x || !w || !is_byte(type_of(graph, x->value)) || !is_scalar_scale(graph, x->scale)) return std::nullopt;
  if (x->zero != kNone && !scalar_of(graph, x->zero)) return std::nullopt;
  const Tensor* weights = constant_of(graph, w->value);
  const Tensor* scales = constant_of(graph, w->scale);
  if (!weights || weights->type() != DataType::i8 || !is_zero(graph, w->zero) || !scales || scales->type() != DataType::f32) return std::nullopt;
  const std::int64_t channels = weights->dim(product.op == "Gemm" && product.attributes.get_int("transB", 0) == 0 ? 1 : 0);
  if (scales->elements() != 1) {
    const bool per_channel = scales->elements() == channels && graph.node(w->node).attributes.get_int("axis", 1) == 0;
    if (!per_channel || product.op == "Gemm") return std::nullopt;
  }
  m.x = *x;
  m.w = *w;
  if (product.has_input(2)) {
    m.bias = dequantized(graph, product.inputs[2]);
    if (!m.bias || !bias_fits(graph, *m.bias, m.x, m.w) || graph.value(m.bias->value).constant.elements() != channels) return std::nullopt;
  }
  return m;
}

ValueId zero_of(Graph& graph, const Quantized& q) {
  if (q.zero != kNone) return q.zero;
  return graph.add_constant("zero", Tensor::allocate(type_of(graph, q.value), {}).value());
}

std::vector<ValueId> operands(Graph& graph, const Match& m, ValueId x, ValueId w) {
  const Node quantize = graph.node(m.quantize);
  const ValueId w_zero = graph.add_constant("zero", Tensor::allocate(DataType::i8, {}).value());
  std::vector<ValueId> inputs = {x, m.x.scale, zero_of(graph, m.x), w, m.w.scale, w_zero, quantize.inputs[1], quantize.inputs[2]};
  if (m.bias) inputs.push_back(m.bias->value);
  return inputs;
}

std::vector<NodeId> replaced_nodes(const Match& m) {
  std::vector<NodeId> nodes = {m.product};
  if (m.relu != kNone) nodes.push_back(m.relu);
  return nodes;
}

void rewrite_conv(Graph& graph, const Match& m) {
  const Attributes attributes = graph.node(m.product).attributes;
  replace_node(graph, m.quantize, "QLinearConv", operands(graph, m, m.x.value, m.w.value), attributes, replaced_nodes(m));
}

/// y[n, oc] = x[n, k] W^T: a 1x1 convolution of [n, k, 1, 1].
bool rewrite_gemm(Graph& graph, const Match& m) {
  const Attributes& attributes = graph.node(m.product).attributes;
  const Tensor weights = graph.value(m.w.value).constant;
  const SymbolicShape* x_shape = shape_of(graph, m.x.value);
  if (!x_shape || x_shape->size() != 2 || weights.rank() != 2 || attributes.get_int("transA", 0) != 0 || attributes.get_int("transB", 0) != 1 ||
      attributes.get_float("alpha", 1) != 1 || attributes.get_float("beta", 1) != 1) {
    return false;
  }
  const ValueId output = graph.node(m.quantize).outputs[0];
  const DataType type = type_of(graph, output);
  const auto constant = [&](std::vector<std::int64_t> values) {
    const Shape shape{static_cast<std::int64_t>(values.size())};
    return graph.add_constant("axes", Tensor::from<std::int64_t>(DataType::i64, shape, values));
  };
  const SymbolicShape wide = {(*x_shape)[0], (*x_shape)[1], 1, 1}, tall = {(*x_shape)[0], weights.dim(0), 1, 1};
  const ValueId picture = add_typed_node(graph, "Unsqueeze", "as_picture", {m.x.value, constant({2, 3})}, {}, type_of(graph, m.x.value), wide);
  const ValueId filters = graph.add_constant("filters", weights.reshaped({weights.dim(0), weights.dim(1), 1, 1}));
  const ValueId result = add_typed_node(graph, "QLinearConv", graph.node(m.product).name, operands(graph, m, picture, filters), {}, type, tall);
  replace_node(graph, m.quantize, "Squeeze", {result, constant({2, 3})}, {}, replaced_nodes(m));
  return true;
}

}  // namespace

Result<bool> fuse_quantized_conv(Graph& graph) {
  bool changed = false;
  for (NodeId id : graph.topological_order()) {
    if (!graph.alive(id) || graph.node(id).op != "QuantizeLinear" || graph.node(id).outputs[0] == kNone) continue;
    const auto match = match_quantized(graph, id);
    if (!match) continue;
    if (graph.node(match->product).op == "Gemm") {
      changed = rewrite_gemm(graph, *match) || changed;
    } else {
      rewrite_conv(graph, *match);
      changed = true;
    }
  }
  return changed;
}

}  // namespace fovea::passes
