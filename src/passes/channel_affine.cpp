// SPDX-License-Identifier: Apache-2.0
#include "passes/channel_affine.h"

#include <cmath>

namespace fovea::passes {

std::optional<std::vector<double>> per_channel(const Graph& graph, ValueId constant, int rank, std::int64_t channels) {
  const Tensor* tensor = constant_of(graph, constant);
  if (!tensor || rank < 2 || tensor->rank() > rank || !is_floating(tensor->type())) return std::nullopt;
  const auto count = static_cast<std::size_t>(channels);
  std::vector<double> values = to_doubles(*tensor);
  if (values.size() == 1) return std::vector<double>(count, values[0]);
  const int axis = tensor->rank() - (rank - 1);  // where the channels stand, counted in the constant's own axes
  if (axis < 0 || values.size() != count || tensor->dim(axis) != channels) return std::nullopt;
  return values;
}

std::optional<ChannelAffine> channel_affine(const Graph& graph, NodeId id, std::int64_t channels) {
  const Node& node = graph.node(id);
  const auto count = static_cast<std::size_t>(channels);
  ChannelAffine affine{node.inputs.empty() ? kNone : node.inputs[0], std::vector<double>(count, 1),
                       std::vector<double>(count, 0)};
  const int rank = rank_of(graph, affine.x);
  if (node.op == "BatchNormalization") {
    if (node.inputs.size() != 5 || node.attributes.get_int("training_mode") != 0) return std::nullopt;
    std::vector<double> parameters[4];
    for (std::size_t i = 0; i < 4; ++i) {
      const Tensor* tensor = constant_of(graph, node.inputs[i + 1]);
      if (!tensor) return std::nullopt;
      parameters[i] = to_doubles(*tensor);
      if (parameters[i].size() != count) return std::nullopt;
    }
    const double epsilon = node.attributes.get_float("epsilon", 1e-5);
    for (std::size_t c = 0; c < count; ++c) {
      affine.factor[c] = parameters[0][c] / std::sqrt(parameters[3][c] + epsilon);
      affine.summand[c] = parameters[1][c] - parameters[2][c] * affine.factor[c];
    }
    return affine;
  }
  if ((node.op != "Mul" && node.op != "Add" && node.op != "Sub") || node.inputs.size() != 2) return std::nullopt;
  std::size_t constant = 1;
  if (node.op != "Sub" && constant_of(graph, node.inputs[0])) constant = 0;
  affine.x = node.inputs[1 - constant];
  const int x_rank = constant == 0 ? rank_of(graph, affine.x) : rank;
  auto values = per_channel(graph, node.inputs[constant], x_rank, channels);
  if (!values) return std::nullopt;
  if (node.op == "Sub") {
    for (double& v : *values) v = -v;
  }
  (node.op == "Mul" ? affine.factor : affine.summand) = *std::move(values);
  return affine;
}

}  // namespace fovea::passes
