// SPDX-License-Identifier: Apache-2.0
#include "passes/fuse_gelu.h"

#include "passes/rewrite.h"

namespace fovea::passes {

namespace {

const std::vector<Expression>& erf_spellings() {
  static const std::vector<Expression> spellings = {
      Expression("Mul(0.5, x, Add(1, Erf(Div(x, 1.41421356))))"),
      Expression("Mul(0.5, x, Add(1, Erf(Mul(x, 0.70710678))))"),
      Expression("Mul(x, Div(Add(1, Erf(Div(x, 1.41421356))), 2))"),
      Expression("Div(Mul(x, Add(1, Erf(Div(x, 1.41421356)))), 2)"),
      Expression("Mul(x, Add(0.5, Mul(0.5, Erf(Mul(x, 0.70710678)))))"),
      Expression("Mul(x, Add(0.5, Mul(0.5, Erf(Div(x, 1.41421356)))))"),
  };
  return spellings;
}

const std::vector<Expression>& tanh_spellings() {
  static const std::vector<Expression> spellings = [] {
    std::vector<Expression> all;
    for (const char* inner : {
             "Mul(0.79788456, Add(x, Mul(0.044715, Pow(x, 3))))",
             "Mul(0.79788456, Add(x, Mul(0.044715, x, x, x)))",
             "Mul(0.79788456, x, Add(1, Mul(0.044715, x, x)))",
             "Mul(0.79788456, x, Add(1, Mul(0.044715, Pow(x, 2))))",
             "Mul(x, Add(0.79788456, Mul(0.03567741, x, x)))",
         }) {
      all.emplace_back("Mul(0.5, x, Add(1, Tanh(" + std::string(inner) + ")))");
    }
    return all;
  }();
  return spellings;
}

}  // namespace

Result<bool> fuse_gelu(Graph& graph) {
  bool changed = false;
  for (NodeId id : graph.topological_order()) {
    if (!graph.alive(id) || (graph.node(id).op != "Mul" && graph.node(id).op != "Div")) continue;
    const ValueId y = graph.node(id).outputs[0];
    const auto exact = match_first(graph, y, erf_spellings());
    const auto approximate = exact ? std::nullopt : match_first(graph, y, tanh_spellings());
    const auto& found = exact ? exact : approximate;
    if (!found || !have_same_shape(graph, found->value("x"), y)) continue;
    Attributes attributes;
    if (approximate) attributes.set("approximate", std::string("tanh"));
    replace_node(graph, id, "Gelu", {found->value("x")}, std::move(attributes), found->nodes());
    changed = true;
  }
  return changed;
}

}  // namespace fovea::passes
