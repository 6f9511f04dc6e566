// SPDX-License-Identifier: Apache-2.0
// Malformed graphs are named for what is wrong with them.
#include "ir/verify.h"

#include <gtest/gtest.h>

#include "ir/text.h"

namespace fovea::ir {
namespace {

Graph two_relus() { return parse("graph g(x) -> (z) { y = Relu(x)\n z = Relu(y) }").value(); }

void expect_problem(const Graph& graph, std::string_view phrase) {
  const Status status = verify(graph);
  ASSERT_FALSE(status.ok());
  EXPECT_NE(status.message().find(phrase), std::string::npos) << status.message();
}

TEST(Verify, AcceptsAChain) { EXPECT_TRUE(verify(two_relus()).ok()); }

TEST(Verify, Cycle) {
  Graph graph = two_relus();
  graph.set_input(graph.value(graph.find_value("y")).producer, 0, graph.find_value("z"));
  expect_problem(graph, "cycle");
}

TEST(Verify, IdOutOfRange) {
  Graph graph = two_relus();
  graph.node(0).inputs[0] = 17;
  expect_problem(graph, "refers to value 17");
}

TEST(Verify, UsersOutOfStep) {
  Graph graph = two_relus();
  graph.node(1).inputs[0] = graph.find_value("x");
  expect_problem(graph, "list of users");
}

TEST(Verify, UsedButNotProduced) {
  Graph graph = two_relus();
  graph.remove_node(graph.value(graph.find_value("y")).producer);
  expect_problem(graph, "'y' is used but nothing produces it");
}

TEST(Verify, TwoProducers) {
  Graph graph = two_relus();
  graph.node(1).outputs[0] = graph.find_value("y");
  expect_problem(graph, "producer");
}

TEST(Verify, ConstantOfAnotherShape) {
  Graph graph = parse("graph g() -> (c) { const c: f32[2] = zeros }").value();
  graph.value(graph.find_value("c")).shape = SymbolicShape{3};
  expect_problem(graph, "differs from its tensor's");
}

TEST(Verify, BodyWithTooFewInputs) {
  const Graph graph = parse(R"(graph g(c, x) -> (y) {
    y = If(c, x) {captures=1}
      graph then_branch() -> (t) { const t: f32[1] = [1] }
      graph else_branch(q) -> (q) {}
  })")
                          .value();
  expect_problem(graph, "expected 1 inputs, found 0");
}

TEST(Verify, ArityAgainstTheSchema) {
  const Graph graph = parse("graph g(x) -> (y) { y = Identity(x, x) }").value();
  expect_problem(graph, "Identity: expected 1 inputs, found 2");
}

}  // namespace
}  // namespace fovea::ir
