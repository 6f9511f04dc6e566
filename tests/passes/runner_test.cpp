// SPDX-License-Identifier: Apache-2.0
// What the runner gives every pass: switching off, dumps, bisecting, a bound on rounds, verification.
#include <gtest/gtest.h>

#include "ir/text.h"
#include "passes/pass_runner.h"
#include "passes/rewrite.h"

namespace fovea::passes {
namespace {

Graph two_relus() { return ir::parse("graph g(x: f32[2]) -> (z) { y = Relu(x)\n z = Relu(y) }").value(); }

Result<bool> add_neg(Graph& graph) {
  const NodeId last = graph.value(graph.outputs[0]).producer;
  const ValueId negated = graph.add_node("Neg", "n", {graph.node(last).inputs[0]});
  graph.set_input(last, 0, negated);
  return true;
}
Result<bool> break_graph(Graph& graph) {
  graph.node(graph.value(graph.outputs[0]).producer).inputs[0] = 99;
  return true;
}

TEST(PassRunner, DisabledPassesDoNotRun) {
  Graph graph = two_relus();
  PassOptions options;
  for (const PassGroup& group : optimization_passes()) {
    for (const Pass& pass : group.passes) options.disabled.emplace_back(pass.name);
  }
  const auto report = run_passes(graph, optimization_passes(), options);
  ASSERT_TRUE(report.ok()) << report.status().to_string();
  EXPECT_EQ(report->executed, 0);
  EXPECT_EQ(graph.num_nodes(), 2);
}

TEST(PassRunner, UnknownDisabledPassIsAnError) {
  Graph graph = two_relus();
  PassOptions options;
  options.disabled = {"fuse_everything"};
  const auto report = run_passes(graph, optimization_passes(), options);
  ASSERT_FALSE(report.ok());
  EXPECT_NE(report.status().message().find("fuse_everything"), std::string::npos);
}

TEST(PassRunner, DumpsAfterEachPass) {
  Graph graph = two_relus();
  PassOptions options;
  std::string changed;
  int unchanged = 0;
  options.dump = [&](std::string_view pass, const std::string& text) {
    if (text == "(unchanged)\n") {
      ++unchanged;
    } else {
      changed += std::string(pass) + ":" + text;
    }
  };
  ASSERT_TRUE(run_passes(graph, optimization_passes(), options).ok());
  EXPECT_NE(changed.find("eliminate_identities:graph g(x: f32[2]) -> (z) {\n  z"), std::string::npos)
      << changed;
  EXPECT_GT(unchanged, 5);
}

TEST(PassRunner, StopsAfterACount) {
  Graph graph = two_relus();
  const Pass passes[] = {{"add_neg", "", add_neg}};
  const PassGroup group{"test", passes, 100};
  PassOptions options;
  options.stop_after = 3;
  const auto report = run_passes(graph, {&group, 1}, options);
  ASSERT_TRUE(report.ok());
  EXPECT_EQ(report->executed, 3);
  EXPECT_EQ(graph.num_nodes(), 5);
  EXPECT_EQ(report->passes[0].changes, 3);
  EXPECT_EQ(report->passes[0].nodes_removed, -3);
}

TEST(PassRunner, RoundsAreBounded) {
  Graph graph = two_relus();
  const Pass passes[] = {{"add_neg", "", add_neg}};
  const PassGroup group{"test", passes, 4};
  const auto report = run_passes(graph, {&group, 1}, {});
  ASSERT_TRUE(report.ok());
  EXPECT_EQ(report->executed, 4);
}

TEST(PassRunner, NamesThePassThatBrokeTheGraph) {
  Graph graph = two_relus();
  const Pass passes[] = {{"break_graph", "", break_graph}};
  const PassGroup group{"test", passes, 1};
  const auto report = run_passes(graph, {&group, 1}, {});
  ASSERT_FALSE(report.ok());
  EXPECT_NE(report.status().message().find("pass break_graph left a broken graph"), std::string::npos)
      << report.status().message();
}

TEST(Expression, AnyAssociationOfProducts) {
  const Expression pattern("Mul(2, x, Exp(x))");
  for (const char* text : {
           "graph g(x: f32[2]) -> (y) { const c: f32[] = 2\n e = Exp(x)\n a = Mul(c, x)\n y = Mul(a, e) }",
           "graph g(x: f32[2]) -> (y) { const c: f32[] = 2\n e = Exp(x)\n a = Mul(e, x)\n y = Mul(a, c) }",
           "graph g(x: f32[2]) -> (y) { const c: f32[] = 2\n e = Exp(x)\n a = Mul(e, c)\n y = Mul(x, a) }",
       }) {
    const Graph graph = ir::parse(text).value();
    const auto match = pattern.match(graph, graph.outputs[0]);
    ASSERT_TRUE(match.has_value()) << text;
    EXPECT_EQ(match->value("x"), graph.inputs[0]);
    EXPECT_EQ(match->nodes().size(), 3u);
  }
}

TEST(Expression, LabelsMeanTheSameValue) {
  const Expression pattern("Mul(d:Neg(x), d)");
  const Graph same = ir::parse("graph g(x: f32[2]) -> (y) { d = Neg(x)\n y = Mul(d, d) }").value();
  const Graph other = ir::parse("graph g(x: f32[2]) -> (y) { d = Neg(x)\n e = Neg(x)\n y = Mul(d, e) }").value();
  EXPECT_TRUE(pattern.match(same, same.outputs[0]).has_value());
  EXPECT_FALSE(pattern.match(other, other.outputs[0]).has_value());
}

TEST(Rewrite, BypassKeepsTheNameOfAnOutput) {
  Graph graph = ir::parse("graph g(x: f32[2]) -> (z) { y = Relu(x)\n z = Identity(y) }").value();
  EXPECT_TRUE(bypass_node(graph, graph.value(graph.outputs[0]).producer, graph.find_value("y")));
  EXPECT_EQ(graph.value(graph.outputs[0]).name, "z");
  EXPECT_EQ(graph.num_nodes(), 1);
}

}  // namespace
}  // namespace fovea::passes
