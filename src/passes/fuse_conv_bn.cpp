// SPDX-License-Identifier: Apache-2.0
#include "passes/fuse_conv_bn.h"

#include <algorithm>
#include <cmath>

#include "passes/channel_affine.h"
#include "passes/rewrite.h"

namespace fovea::passes {

namespace {

// Constant weights of a convolution or Gemm, and which output channel each element belongs to.
struct Weights {
  Tensor tensor;
  std::int64_t channels = 0, group = 1;
  bool channels_last = false;  // Gemm without transB: [in, out]
  bool transposed = false;     // ConvTranspose: [in, out / group, ...]

  std::int64_t channel_of(std::int64_t element) const {
    if (channels_last) return element % channels;
    const std::int64_t row = tensor.elements() / tensor.dim(0);
    const std::int64_t first = element / row;
    if (!transposed) return first;
    const std::int64_t inner = row / tensor.dim(1);
    return first / (tensor.dim(0) / group) * tensor.dim(1) + element % row / inner;
  }
};

// DeformConv has its offsets before the bias.
int bias_input(const Node& node) { return node.op == "DeformConv" ? 3 : 2; }

const Tensor* bias_of(const Graph& graph, const Node& node) {
  const int i = bias_input(node);
  return node.has_input(i) ? constant_of(graph, node.inputs[static_cast<std::size_t>(i)]) : nullptr;
}

std::optional<Weights> weights_of(const Graph& graph, const Node& node) {
  const bool gemm = node.op == "Gemm";
  if (node.op != "Conv" && node.op != "ConvTranspose" && node.op != "DeformConv" && !gemm) return std::nullopt;
  const Tensor* w = constant_of(graph, node.inputs[1]);
  if (!w || w->rank() < 2 || w->elements() == 0 || to_doubles(*w).empty()) return std::nullopt;
  if (node.has_input(bias_input(node)) && !bias_of(graph, node)) return std::nullopt;
  Weights weights{*w};
  weights.group = node.attributes.get_int("group", 1);
  weights.transposed = node.op == "ConvTranspose";
  weights.channels_last = gemm && node.attributes.get_int("transB") == 0;
  weights.channels = weights.transposed ? w->dim(1) * weights.group : w->dim(weights.channels_last ? 1 : 0);
  if (weights.transposed && (weights.group < 1 || w->dim(0) % weights.group != 0)) return std::nullopt;
  if (gemm) {
    if (node.attributes.get_float("alpha", 1) != 1 || node.attributes.get_float("beta", 1) != 1) return std::nullopt;
    const Tensor* c = bias_of(graph, node);
    if (c && c->elements() != 1 && (c->elements() != weights.channels || c->dim(c->rank() - 1) != weights.channels))
      return std::nullopt;
  }
  return weights;
}

bool fold_into(Graph& graph, NodeId conv_id, NodeId affine_id) {
  const Node conv = graph.node(conv_id);
  const auto weights = weights_of(graph, conv);
  if (!weights) return false;
  const auto affine = channel_affine(graph, affine_id, weights->channels);
  if (!affine || affine->x != conv.outputs[0] || !have_same_shape(graph, affine->x, graph.node(affine_id).outputs[0]))
    return false;
  if (!std::all_of(affine->factor.begin(), affine->factor.end(), [](double v) { return std::isfinite(v); }))
    return false;
  std::vector<double> values = to_doubles(weights->tensor);
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] *= affine->factor[static_cast<std::size_t>(weights->channel_of(static_cast<std::int64_t>(i)))];
  }
  const auto channels = static_cast<std::size_t>(weights->channels);
  std::vector<double> bias(channels, 0);
  if (const Tensor* given = bias_of(graph, conv)) bias = to_doubles(*given);
  bias.resize(channels, bias[0]);
  for (std::size_t c = 0; c < channels; ++c) bias[c] = bias[c] * affine->factor[c] + affine->summand[c];
  const DataType type = weights->tensor.type();
  Node fused = conv;
  fused.outputs.clear();
  const auto at = static_cast<std::size_t>(bias_input(conv));
  fused.inputs.resize(std::max(fused.inputs.size(), at + 1), kNone);
  if (std::any_of(affine->factor.begin(), affine->factor.end(), [](double v) { return v != 1; })) {
    fused.inputs[1] =
        graph.add_constant(graph.value(conv.inputs[1]).name, from_doubles(type, weights->tensor.shape(), values));
  }
  fused.inputs[at] = graph.add_constant(conv.name + ".bias", from_doubles(type, {weights->channels}, bias));
  fused.sources.clear();
  replace_node(graph, affine_id, std::move(fused), {conv_id});
  return true;
}

}  // namespace

Result<bool> fuse_conv_bn(Graph& graph) {
  bool changed = false;
  for (NodeId id : graph.topological_order()) {
    // One affine step after another; each leaves a convolution for the next.
    while (graph.alive(id) && !graph.node(id).outputs.empty() && graph.node(id).outputs[0] != kNone) {
      const ValueId output = graph.node(id).outputs[0];
      if (!is_used_once(graph, output)) break;
      const NodeId next = graph.users(output)[0];
      const ValueId result = graph.node(next).outputs[0];
      if (!fold_into(graph, id, next)) break;
      changed = true;
      id = graph.value(result).producer;
    }
  }
  return changed;
}

}  // namespace fovea::passes
