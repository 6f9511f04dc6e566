// SPDX-License-Identifier: Apache-2.0
#include "passes/fuse_hard_swish.h"

#include <cmath>

#include "passes/rewrite.h"

namespace fovea::passes {

namespace {

const std::vector<Expression>& hard_swish_spellings() {
  static const std::vector<Expression> spellings = {
      Expression("Mul(x, Clip(Add(x, 3), 0, 6), 0.16666667)"),
      Expression("Div(Mul(x, Clip(Add(x, 3), 0, 6)), 6)"),
      Expression("Mul(x, Div(Clip(Add(x, 3), 0, 6), 6))"),
      Expression("Mul(Clip(Add(x, 3), 0, 6), Div(x, 6))"),
  };
  return spellings;
}

const std::vector<Expression>& hard_sigmoid_spellings() {
  static const std::vector<Expression> spellings = {
      Expression("Div(Clip(Add(x, 3), 0, 6), 6)"),
      Expression("Mul(Clip(Add(x, 3), 0, 6), 0.16666667)"),
  };
  return spellings;
}

// Clip(x * a + b, 0, 1) with scalars a and b.
bool linear_to_hard_sigmoid(Graph& graph, NodeId id) {
  static const Expression kLinear("Clip(Add(Mul(x, a), b), 0, 1)");
  const auto found = kLinear.match(graph, graph.node(id).outputs[0]);
  if (!found) return false;
  const auto a = scalar_of(graph, found->value("a")), b = scalar_of(graph, found->value("b"));
  if (!a || !b || !have_same_shape(graph, found->value("x"), graph.node(id).outputs[0])) return false;
  Attributes attributes;
  attributes.set("alpha", *a);
  attributes.set("beta", *b);
  replace_node(graph, id, "HardSigmoid", {found->value("x")}, std::move(attributes), found->nodes());
  return true;
}

bool fuse_hard_swish_at(Graph& graph, NodeId id) {
  const ValueId y = graph.node(id).outputs[0];
  if (const auto found = match_first(graph, y, hard_swish_spellings())) {
    if (!have_same_shape(graph, found->value("x"), y)) return false;
    replace_node(graph, id, "HardSwish", {found->value("x")}, {}, found->nodes());
    return true;
  }
  static const Expression kFromHardSigmoid("Mul(x, s:HardSigmoid(x))");
  if (const auto found = kFromHardSigmoid.match(graph, y)) {
    const Attributes& inner = graph.producer(found->value("s"))->attributes;
    // Hard swish has fixed parameters: alpha 1/6, beta 1/2.
    if (std::abs(inner.get_float("alpha", 0.2) - 1.0 / 6) > 1e-6 || inner.get_float("beta", 0.5) != 0.5) return false;
    replace_node(graph, id, "HardSwish", {found->value("x")}, {}, found->nodes());
    return true;
  }
  if (const auto found = match_first(graph, y, hard_sigmoid_spellings())) {
    if (!have_same_shape(graph, found->value("x"), y)) return false;
    // Left alone if a hard swish that contains it can still be formed further down.
    if (is_used_once(graph, y)) {
      const Node& user = graph.node(graph.users(y)[0]);
      if (user.op == "Mul" && match_first(graph, user.outputs[0], hard_swish_spellings())) return false;
    }
    Attributes attributes;
    attributes.set("alpha", 1.0 / 6);
    attributes.set("beta", 0.5);
    replace_node(graph, id, "HardSigmoid", {found->value("x")}, std::move(attributes), found->nodes());
    return true;
  }
  return linear_to_hard_sigmoid(graph, id);
}

}  // namespace

Result<bool> fuse_hard_swish(Graph& graph) {
  bool changed = false;
  for (NodeId id : graph.topological_order()) {
    if (!graph.alive(id)) continue;
    const std::string op = graph.node(id).op;
    if (op == "Mul" || op == "Div" || op == "Clip") changed = fuse_hard_swish_at(graph, id) || changed;
  }
  return changed;
}

}  // namespace fovea::passes
