// SPDX-License-Identifier: Apache-2.0
#include "passes/post_ops.h"

#include <cmath>

#include "passes/rewrite.h"

namespace fovea::passes {

namespace {

std::optional<FoundActivation> clip_of(const Graph& graph, const Node& node) {
  FoundActivation found{node.inputs[0], "clip", -INFINITY, INFINITY};
  for (int i : {1, 2}) {
    if (!node.has_input(i)) continue;
    const auto bound = scalar_of(graph, node.inputs[static_cast<std::size_t>(i)]);
    if (!bound) return std::nullopt;
    (i == 1 ? found.alpha : found.beta) = *bound;
  }
  return found;
}

std::optional<double> attribute(const Node& node, std::string_view name, double fallback) {
  return node.attributes.get_float(name, fallback);
}

bool is_one_of_fused(const Node& node) { return node.op == "fovea::conv" || node.op == "fovea::matmul"; }

// A later convolution that could take the same sum: it runs when the other operand is ready anyway.
bool is_better_home(const Graph& graph, ValueId other) {
  const Node* producer = graph.producer(other);
  if (!producer || !is_used_once(graph, other)) return false;
  return producer->op == "Conv" || producer->op == "MatMul" || producer->op == "Gemm";
}

NodeId absorb_activation(Graph& graph, NodeId id, NodeId next) {
  const auto found = activation_of(graph, next);
  if (!found || found->x != graph.node(id).outputs[0]) return kNone;
  Node fused = graph.node(id);
  fused.outputs.clear();
  fused.sources.clear();
  fused.attributes.set("activation", found->name);
  if (found->alpha) fused.attributes.set("alpha", *found->alpha);
  if (found->beta) fused.attributes.set("beta", *found->beta);
  return replace_node(graph, next, std::move(fused), {id});
}

NodeId absorb_residual(Graph& graph, NodeId id, NodeId next) {
  const Node& add = graph.node(next);
  const ValueId output = graph.node(id).outputs[0];
  if (add.op != "Add" || add.inputs.size() != 2 || add.inputs[0] == add.inputs[1]) return kNone;
  const ValueId other = add.inputs[add.inputs[0] == output ? 1 : 0];
  if (!have_same_shape(graph, other, output) || !have_same_shape(graph, add.outputs[0], output)) return kNone;
  if (type_of(graph, other) != type_of(graph, output) || constant_of(graph, other) || is_better_home(graph, other))
    return kNone;
  Node fused = graph.node(id);
  fused.outputs.clear();
  fused.sources.clear();
  fused.inputs.resize(4, kNone);
  fused.inputs[3] = other;
  fused.attributes.set("residual", std::string(fused.attributes.has("activation") ? "after" : "before"));
  return replace_node(graph, next, std::move(fused), {id});
}

}  // namespace

std::optional<FoundActivation> activation_of(const Graph& graph, NodeId id) {
  const Node& node = graph.node(id);
  if (node.inputs.empty() || node.inputs[0] == kNone || node.outputs.size() != 1) return std::nullopt;
  const ValueId x = node.inputs[0];
  const DataType type = type_of(graph, x);
  if (type != DataType::f32 && type != DataType::f16 && type != DataType::bf16 && type != DataType::f64)
    return std::nullopt;
  const auto plain = [&](std::string_view name) { return FoundActivation{x, std::string(name), {}, {}}; };
  if (node.op == "Relu") return plain("relu");
  if (node.op == "Sigmoid") return plain("sigmoid");
  if (node.op == "Tanh") return plain("tanh");
  if (node.op == "Mish") return plain("mish");
  if (node.op == "Softplus") return plain("softplus");
  if (node.op == "HardSwish") return plain("hardswish");
  if (node.op == "Gelu")
    return plain(node.attributes.get_string("approximate", "none") == "tanh" ? "gelu_tanh" : "gelu");
  if (node.op == "Clip") return clip_of(graph, node);
  if (node.op == "LeakyRelu") return FoundActivation{x, "leaky_relu", attribute(node, "alpha", 0.01), {}};
  if (node.op == "Elu") return FoundActivation{x, "elu", attribute(node, "alpha", 1), {}};
  if (node.op == "Swish") return FoundActivation{x, "silu", attribute(node, "alpha", 1), {}};
  if (node.op == "HardSigmoid")
    return FoundActivation{x, "hardsigmoid", attribute(node, "alpha", 0.2), attribute(node, "beta", 0.5)};
  return std::nullopt;
}

NodeId absorb_post_ops(Graph& graph, NodeId id) {
  for (;;) {
    const Node& node = graph.node(id);
    const ValueId output = node.outputs[0];
    const std::string residual = node.attributes.get_string("residual", "none");
    if (!is_one_of_fused(node) || residual == "after" || !is_used_once(graph, output)) return id;
    const NodeId next = graph.users(output)[0];
    NodeId now = node.attributes.has("activation") ? kNone : absorb_activation(graph, id, next);
    if (now == kNone && residual == "none") now = absorb_residual(graph, id, next);
    if (now == kNone) return id;
    id = now;
  }
}

}  // namespace fovea::passes
