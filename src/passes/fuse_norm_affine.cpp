// SPDX-License-Identifier: Apache-2.0
#include "passes/fuse_norm_affine.h"

#include <algorithm>

#include "passes/channel_affine.h"
#include "passes/rewrite.h"

namespace fovea::passes {

namespace {

bool is_per_channel(const Node& norm) { return norm.op == "InstanceNormalization" || norm.op == "GroupNormalization"; }

struct Parameters {
  Shape shape;
  std::vector<double> values;
};

// Extents from `axis` on, where all are numbers.
std::optional<Shape> normalised_extents(const Graph& graph, const Node& norm) {
  const auto rank = static_cast<std::int64_t>(rank_of(graph, norm.inputs[0]));
  std::int64_t axis = norm.attributes.get_int("axis", -1);
  axis += axis < 0 ? rank : 0;
  Shape shape;
  for (; axis < rank; ++axis) {
    const Dim& dim = (*shape_of(graph, norm.inputs[0]))[static_cast<std::size_t>(axis)];
    if (!dim.is_constant()) return std::nullopt;
    shape.push_back(dim.constant());
  }
  return shape;
}

// The constant as numbers of the norm's parameters, or nothing. A scale of one number takes the normalised shape when
// the constant has it.
std::optional<Parameters> as_parameters(const Graph& graph, const Node& norm, ValueId constant) {
  const Tensor* scale = constant_of(graph, norm.inputs[1]);
  const Tensor* tensor = constant_of(graph, constant);
  if (!scale || !tensor || tensor->type() != scale->type()) return std::nullopt;
  const int rank = rank_of(graph, norm.inputs[0]);
  if (is_per_channel(norm)) {
    auto values = per_channel(graph, constant, rank, scale->elements());
    return values ? std::optional(Parameters{scale->shape(), *std::move(values)}) : std::nullopt;
  }
  if (tensor->rank() > rank) return std::nullopt;
  std::vector<double> values = to_doubles(*tensor);
  if (values.size() == 1) return Parameters{scale->shape(), std::vector<double>(static_cast<std::size_t>(scale->elements()), values[0])};
  const auto wanted = scale->elements() == 1 ? normalised_extents(graph, norm) : std::optional(scale->shape());
  if (!wanted) return std::nullopt;
  // [1, 1, C] and [C] alike: leading ones do not matter.
  Shape shape;
  for (int axis = 0; axis < tensor->rank(); ++axis) {
    if (shape.rank() > 0 || tensor->dim(axis) != 1 || tensor->rank() - axis <= wanted->rank()) shape.push_back(tensor->dim(axis));
  }
  return shape == *wanted ? std::optional(Parameters{shape, std::move(values)}) : std::nullopt;
}

bool take(Graph& graph, NodeId norm_id, NodeId next) {
  const Node norm = graph.node(norm_id);
  const Node& affine = graph.node(next);
  if ((affine.op != "Mul" && affine.op != "Add") || affine.inputs[0] == affine.inputs[1]) return false;
  if (affine.op == "Add" && norm.op == "RMSNormalization") return false;
  const ValueId constant = affine.inputs[affine.inputs[0] == norm.outputs[0] ? 1 : 0];
  const auto parameters = as_parameters(graph, norm, constant);
  if (!parameters || !have_same_shape(graph, norm.outputs[0], affine.outputs[0])) return false;
  const Tensor scale = *constant_of(graph, norm.inputs[1]);
  std::vector<double> factor = to_doubles(scale), summand(factor.size(), 0);
  if (norm.has_input(2)) {
    const Tensor* bias = constant_of(graph, norm.inputs[2]);
    if (!bias || bias->elements() != scale.elements()) return false;
    summand = to_doubles(*bias);
  }
  const std::vector<double>& values = parameters->values;
  if (factor.size() == 1) {
    factor.assign(values.size(), factor[0]);
    summand.assign(values.size(), summand[0]);
  }
  for (std::size_t i = 0; i < factor.size(); ++i) {
    if (affine.op == "Mul") {
      factor[i] *= values[i];
      summand[i] *= values[i];
    } else {
      summand[i] += values[i];
    }
  }
  Node fused = norm;
  fused.outputs.clear();
  fused.sources.clear();
  fused.inputs[1] = graph.add_constant("scale", from_doubles(scale.type(), parameters->shape, factor));
  if (norm.op != "RMSNormalization" && (norm.has_input(2) || affine.op == "Add")) {
    fused.inputs.resize(3, kNone);
    fused.inputs[2] = graph.add_constant("bias", from_doubles(scale.type(), parameters->shape, summand));
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
      if (op != "LayerNormalization" && op != "RMSNormalization" && op != "InstanceNormalization" && op != "GroupNormalization") break;
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
