// SPDX-License-Identifier: Apache-2.0
#include "passes/fuse_silu.h"

#include "passes/rewrite.h"

namespace fovea::passes {

Result<bool> fuse_silu(Graph& graph) {
  static const Expression kSilu("Mul(x, Sigmoid(x))"), kSwish("Mul(x, Sigmoid(Mul(x, a)))"),
      kMish("Mul(x, Tanh(Softplus(x)))");
  bool changed = false;
  for (NodeId id : graph.topological_order()) {
    if (!graph.alive(id) || graph.node(id).op != "Mul") continue;
    const ValueId y = graph.node(id).outputs[0];
    if (const auto found = kSilu.match(graph, y)) {
      replace_node(graph, id, "Swish", {found->value("x")}, {}, found->nodes());
    } else if (const auto mish = kMish.match(graph, y)) {
      replace_node(graph, id, "Mish", {mish->value("x")}, {}, mish->nodes());
    } else if (const auto swish = kSwish.match(graph, y);
               swish && scalar_of(graph, swish->value("a")) && rank_of(graph, swish->value("a")) == 0) {
      Attributes attributes;
      attributes.set("alpha", *scalar_of(graph, swish->value("a")));
      replace_node(graph, id, "Swish", {swish->value("x")}, std::move(attributes), swish->nodes());
    } else {
      continue;
    }
    changed = true;
  }
  return changed;
}

}  // namespace fovea::passes
