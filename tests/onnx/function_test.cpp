// SPDX-License-Identifier: Apache-2.0
// Model-local functions are put in place of their calls.
#include "support.h"

namespace fovea::testing {
namespace {

const std::string kDomain = " opset_import { domain: 'f' version: 1 } ";
std::string function(const std::string& name, const std::string& body, const std::string& inputs = "input: 'a'", const std::string& outputs = "output: 'b'") {
  return "functions { domain: 'f' name: '" + name + "' opset_import { version: 26 } opset_import { domain: 'f' version: 1 } " + inputs + " " + outputs + " " + body + " } ";
}
std::string call(const std::string& name, const std::string& inputs, const std::string& outputs, const std::string& more = {}) {
  return node(name, inputs, outputs, "domain: 'f' name: 'call_" + outputs + "' " + more);
}

TEST(Function, NestedCallsAreExpanded) {
  const auto model = import_graph(input("x") + output("y") + call("Outer", "x", "y"), 26,
                                  kDomain + function("Inner", node("Identity", "a", "t") + node("Identity", "t", "b")) +
                                      function("Outer", call("Inner", "a", "m") + call("Inner", "m", "b")));
  ASSERT_TRUE(model.ok()) << model.status().to_string();
  EXPECT_EQ(ops_of(model->graph()), "Identity Identity Identity Identity");
  EXPECT_EQ(model->graph().node(model->graph().value(model->graph().outputs[0]).producer).name.substr(0, 7), "call_y/");
}

TEST(Function, OutputThatIsAnInput) {
  const auto model = import_graph(input("x") + output("y") + output("z") + call("Pass", "x", "y z"), 26,
                                  kDomain + function("Pass", node("Identity", "a", "b"), "input: 'a'", "output: 'a' output: 'b'"));
  ASSERT_TRUE(model.ok()) << model.status().to_string();
  EXPECT_EQ(model->graph().value(model->graph().outputs[0]).name, "y");
  EXPECT_EQ(ops_of(model->graph()), "Identity Identity");
}

TEST(Function, AttributesByReferenceDefaultAndOmission) {
  const std::string body = node("Constant", "", "b", "attribute { name: 'value_float' ref_attr_name: 'k' type: FLOAT }");
  const std::string with_default = "attribute_proto { name: 'k' type: FLOAT f: 7 } ";
  const auto value_of = [&](const std::string& attribute) {
    const auto model = import_graph(output("y", "") + call("K", "", "y", attribute), 26, kDomain + function("K", with_default + body, ""));
    EXPECT_TRUE(model.ok()) << model.status().to_string();
    return model.ok() ? model->graph().value(model->graph().outputs[0]).constant.data<float>()[0] : 0.0f;
  };
  EXPECT_EQ(value_of(""), 7.0f);
  EXPECT_EQ(value_of("attribute { name: 'k' type: FLOAT f: 2 }"), 2.0f);
  EXPECT_ERROR(import_graph(output("y", "") + call("K", "", "y", "attribute { name: 'k' type: INT i: 2 }"), 26, kDomain + function("K", with_default + body, "")).status(),
               InvalidModel, "another type");
}

TEST(Function, OverloadsAreApart) {
  const auto model = import_graph(input("x") + output("y") + call("F", "x", "y", "overload: 'two'"), 26,
                                  kDomain + function("F", node("Nonsense", "a", "b")) +
                                      function("F", "overload: 'two' " + node("Identity", "a", "b")));
  ASSERT_TRUE(model.ok()) << model.status().to_string();
  EXPECT_EQ(ops_of(model->graph()), "Identity");
}

TEST(FunctionError, Recursion) {
  EXPECT_ERROR(import_graph(input("x") + output("y") + call("A", "x", "y"), 26, kDomain + function("A", call("B", "a", "b")) + function("B", call("A", "a", "b"))).status(),
               InvalidModel, "calls itself");
}

TEST(FunctionError, BillionLaughs) {
  std::string functions = function("L0", node("Identity", "a", "b"));
  for (int level = 1; level < 60; ++level) {
    const std::string below = "L" + std::to_string(level - 1);
    functions += function("L" + std::to_string(level), call(below, "a", "m") + call(below, "m", "b"));
  }
  EXPECT_ERROR(import_graph(input("x") + output("y") + call("L59", "x", "y"), 26, kDomain + functions).status(), ResourceExhausted, "too many nodes");
}

TEST(Function, ManyCallsOfOneName) {
  std::string body, calls;
  for (int i = 0; i < 200; ++i) {
    body += node("Identity", i == 0 ? "a" : "t" + std::to_string(i - 1), i == 199 ? "b" : "t" + std::to_string(i), "name: 'n'");
    calls += node("F", i == 0 ? "x" : "v" + std::to_string(i - 1), i == 199 ? "y" : "v" + std::to_string(i), "domain: 'f' name: 'n'");
  }
  const auto model = import_graph(input("x") + output("y") + calls, 26, kDomain + function("F", body));
  ASSERT_TRUE(model.ok()) << model.status().to_string();
  EXPECT_EQ(model->graph().num_nodes(), 200 * 200);
}

TEST(FunctionError, TooManyInputs) {
  EXPECT_ERROR(import_graph(input("x") + output("y") + call("F", "x x", "y"), 26, kDomain + function("F", node("Identity", "a", "b"))).status(), InvalidModel,
               "has 1 inputs");
}

TEST(FunctionError, OutputNotProduced) {
  EXPECT_ERROR(import_graph(input("x") + output("y") + call("F", "x", "y"), 26, kDomain + function("F", node("Identity", "a", "c"))).status(), InvalidModel,
               "output 'b' is produced by no node");
}

TEST(FunctionError, SeesNothingOfItsCaller) {
  EXPECT_ERROR(import_graph(input("x") + output("y") + call("F", "x", "y"), 26, kDomain + function("F", node("Identity", "x", "b"))).status(), InvalidModel, "input 'x'");
}

}  // namespace
}  // namespace fovea::testing
