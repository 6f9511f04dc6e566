// SPDX-License-Identifier: Apache-2.0
// Bodies of If and Loop: outer values become trailing inputs of node and bodies, constants are copied in.
#include "ops/schema.h"
#include "support.h"

namespace fovea::testing {
namespace {

std::string branch(const std::string& name, const std::string& graph) { return "attribute { name: '" + name + "' type: GRAPH g { name: '" + name + "' " + graph + " } } "; }

class Bodies : public ::testing::Test {};

TEST_F(Bodies, CapturesAreTheUnionOfBothBranches) {
  const auto model = import_graph(input("c", "", 9) + input("p") + input("q") + output("y") +
                                  node("If", "c", "y", branch("else_branch", output("e") + node("Identity", "q", "e")) +
                                                            branch("then_branch", output("t") + node("Identity", "p", "t"))));
  ASSERT_TRUE(model.ok()) << model.status().to_string();
  const ir::Graph& graph = model->graph();
  const ir::Node& node = *graph.producer(graph.outputs[0]);
  ASSERT_EQ(node.inputs.size(), 3u);
  EXPECT_EQ(node.attributes.get_int("captures"), 2);
  ASSERT_EQ(node.bodies.size(), 2u);
  EXPECT_EQ(node.bodies[0].name, "then_branch");
  for (const ir::Graph& body : node.bodies) ASSERT_EQ(body.inputs.size(), 2u);
  EXPECT_EQ(graph.value(node.inputs[1]).name, "p");
  EXPECT_EQ(graph.value(node.inputs[2]).name, "q");
  EXPECT_EQ(node.bodies[0].users(node.bodies[0].inputs[0]).size(), 1u);
  EXPECT_EQ(node.bodies[1].users(node.bodies[1].inputs[1]).size(), 1u);
}

TEST_F(Bodies, ConstantsAreNotCaptured) {
  const auto model = import_graph(input("c", "", 9) + output("y") + "initializer { name: 'k' dims: 2 data_type: 1 float_data: [1, 2] } " +
                                  node("If", "c", "y", branch("then_branch", output("t") + node("Identity", "k", "t")) +
                                                            branch("else_branch", output("k"))));
  ASSERT_TRUE(model.ok()) << model.status().to_string();
  const ir::Node& node = *model->graph().producer(model->graph().outputs[0]);
  EXPECT_EQ(node.inputs.size(), 1u);
  EXPECT_TRUE(node.bodies[1].value(node.bodies[1].outputs[0]).is_constant());
}

TEST_F(Bodies, CapturesThroughTwoLevels) {
  const std::string inner = node("If", "c", "i", branch("then_branch", output("t2") + node("Identity", "x", "t2")) + branch("else_branch", output("x")));
  const auto model = import_graph(input("c", "", 9) + input("x") + output("y") +
                                  node("If", "c", "y", branch("then_branch", output("i") + inner) + branch("else_branch", output("e") + node("Identity", "x", "e"))));
  ASSERT_TRUE(model.ok()) << model.status().to_string();
  const ir::Node& outer = *model->graph().producer(model->graph().outputs[0]);
  EXPECT_EQ(outer.attributes.get_int("captures"), 2);  // x, and c for the inner If
  const ir::Graph& body = outer.bodies[0];
  const ir::Node& nested = *body.producer(body.outputs[0]);
  EXPECT_EQ(nested.attributes.get_int("captures"), 1);
  EXPECT_TRUE(body.is_graph_input(nested.inputs[0]));
}

TEST_F(Bodies, InsideAFunctionSeeTheFunctionsValues) {
  const std::string body = node("If", "c", "b", branch("then_branch", output("t") + node("Identity", "a", "t")) + branch("else_branch", output("e") + node("Identity", "a", "e")));
  const auto model = import_graph(input("c", "", 9) + input("x") + output("y") + node("F", "c x", "y", "domain: 'f'"), 26,
                                  "opset_import { domain: 'f' version: 1 } functions { domain: 'f' name: 'F' input: 'c' input: 'a' output: 'b' opset_import { version: 26 } " + body + " }");
  ASSERT_TRUE(model.ok()) << model.status().to_string();
  const ir::Node& node = *model->graph().producer(model->graph().outputs[0]);
  EXPECT_EQ(node.op, "If");
  EXPECT_EQ(model->graph().value(node.inputs[1]).name, "x");
}

TEST_F(Bodies, MissingBranch) {
  EXPECT_ERROR(import_graph(input("c", "", 9) + input("x") + output("y") + node("If", "c", "y", branch("then_branch", output("t") + node("Identity", "x", "t")))).status(),
               InvalidModel, "else_branch");
}

}  // namespace
}  // namespace fovea::testing
