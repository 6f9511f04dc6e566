// SPDX-License-Identifier: Apache-2.0
#include "passes/flush_denormals.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "passes/rewrite.h"

namespace fovea::passes {

namespace {

constexpr float kSmallestNormal = std::numeric_limits<float>::min();  // 2^-126
constexpr float kLargeEnough = 0x1p-100f;

bool only_weighs(const Graph& graph, ValueId id) {
  const auto users = graph.users(id);
  return !users.empty() && !graph.is_graph_output(id) && std::all_of(users.begin(), users.end(), [&](NodeId user) {
    return is_any(graph.node(user).op, {"Conv", "ConvTranspose", "DeformConv", "MatMul", "Gemm", "PRelu"});
  });
}

}  // namespace

Result<bool> flush_denormals(Graph& graph) {
  bool changed = false;
  for (ValueId id = 0; id < graph.num_values(); ++id) {
    const Tensor* weights = constant_of(graph, id);
    if (!weights || weights->type() != DataType::f32 || !only_weighs(graph, id)) continue;
    const float* data = weights->data<float>();
    const std::int64_t count = weights->elements();
    float largest = 0;
    bool found = false;
    for (std::int64_t i = 0; i < count; ++i) {
      const float size = std::fabs(data[i]);
      largest = std::max(largest, size);
      found = found || (size > 0 && size < kSmallestNormal);
    }
    if (!found || largest < kLargeEnough) continue;
    std::vector<float> flushed(data, data + count);
    for (float& w : flushed) {
      if (std::fabs(w) < kSmallestNormal) w = 0;
    }
    graph.value(id).constant = Tensor::from<float>(DataType::f32, weights->shape(), flushed);
    changed = true;
  }
  return changed;
}

}  // namespace fovea::passes
