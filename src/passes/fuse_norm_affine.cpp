// SPDX-License-Identifier: Apache-2.0
#include "passes/fuse_norm_affine.h"

#include <algorithm>

#include "passes/channel_affine.h"
#include "passes/rewrite.h"

namespace fovea::passes {

namespace {

// The constant as numbers of the norm's parameters, or nothing.
std::optional<std::vector<double>> as_parameters(const Graph& graph, const Node& norm, ValueId constant) {
  const Tensor* scale = constant_of(graph, norm.inputs[1]);
  const Tensor* tensor = constant_of(graph, constant);
  if (!scale || !tensor || tensor->type() != scale->type()) return std::nullopt;
  const int rank = rank_of(graph, norm.inputs[0]);
  if (norm.op == "InstanceNormalization") return per_channel(graph, constant, rank, scale->elements());
  std::vector<double> values = to_doubles(*tensor);
  if (values.size() == 1 && tensor->rank() <= rank)
    return std::vector<double>(static_cast<std::size_t>(scale->elements()), values[0]);
  // [1, 1, C] and [C] alike: leading ones do not matter.
  Shape shape;
  for (int axis = 0; axis < tensor->rank(); ++axis) {
    if (shape.rank() > 0 || tensor->dim(axis) != 1 || tensor->rank() - axis <= scale->rank())
      shape.push_back(tensor->dim(axis));
  }
  return shape == scale->shape() && tensor->rank() <= rank ? std::optional(values) : std::nullopt;
}

bool take(Graph& graph, NodeId norm_id, NodeId next) {
  const Node norm = graph.node(norm_id);
  const Node& affine = graph.node(next);
  if ((affine.op != "Mul" && affine.op != "Add") || affine.inputs[0] == affine.inputs[1]) return false;
  if (affine.op == "Add" && norm.op == "RMSNormalization") return false;
  const ValueId constant = affine.inputs[affine.inputs[0] == norm.outputs[0] ? 1 : 0];
  const auto values = as_parameters(graph, norm, constant);
  if (!values || !have_same_shape(graph, norm.outputs[0], affine.outputs[0])) return false;
  const Tensor scale = *constant_of(graph, norm.inputs[1]);
  std::vector<double> factor = to_doubles(scale), summand(factor.size(), 0);
  if (norm.has_input(2)) {
    const Tensor* bias = constant_of(graph, norm.inputs[2]);
    if (!bias || bias->elements() != scale.elements()) return false;
    summand = to_doubles(*bias);
  }
  for (std::size_t i = 0; i < factor.size(); ++i) {
    if (affine.op == "Mul") {
      factor[i] *= (*values)[i];
      summand[i] *= (*values)[i];
    } else {
      summand[i] += (*values)[i];
    }
  }
  Node fused = norm;
  fused.outputs.clear();
  fused.sources.clear();
  fused.inputs[1] = graph.add_constant("scale", from_doubles(scale.type(), scale.shape(), factor));
  if (norm.op != "RMSNormalization" && (norm.has_input(2) || affine.op == "Add")) {
    fused.inputs.resize(3, kNone);
    fused.inputs[2] = graph.add_constant("bias", from_doubles(scale.type(), scale.shape(), summand));
  }
  replace_node(graph, next, std::move(fused), {norm_id});
  return true;
}

}  // namespace

Result<bool> fuse_norm_affine(Graph& graph) {
  bool changed = false;
  for (NodeId id : graph.topological_order()) {
    while (graph.alive(id)) {
      const std::string op = graph.node(id).op;
      if (op != "LayerNormalization" && op != "RMSNormalization" && op != "InstanceNormalization") break;
      const ValueId output = graph.node(id).outputs[0];
      if (!is_used_once(graph, output)) break;
      const NodeId next = graph.users(output)[0];
      const ValueId result = graph.node(next).outputs[0];
      if (!take(graph, id, next)) break;
      changed = true;
      id = graph.value(result).producer;
    }
  }
  return changed;
}

}  // namespace fovea::passes
