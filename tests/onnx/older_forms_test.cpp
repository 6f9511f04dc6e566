// SPDX-License-Identifier: Apache-2.0
// Graph -> ONNX of an older opset: the form of its time, or a refusal; and what it says is the same when it is read again.
#include "onnx/older_forms.h"

#include "support.h"

namespace fovea::testing {
namespace {

const std::string kX = input("x", dims({2, 6, 4, 4}));

struct Written {
  Status status;
  onnx_proto::ModelProto message;
};

Written written(const Model& model, int opset) {
  const TemporaryFolder folder;
  Written result{export_onnx(model, folder / "out.onnx", {.opset = opset}), {}};
  std::ifstream in(folder / "out.onnx", std::ios::binary);
  EXPECT_EQ(result.message.ParseFromIstream(&in) && result.message.has_graph(), result.status.ok()) << "written though refused, or not written";
  return result;
}

/// The first node as text, when `graph` of the newest opset is written at `opset`; "" when that is refused.
std::string node_at(const std::string& graph, int opset) {
  const auto model = import_graph(graph);
  EXPECT_TRUE(model.ok()) << model.status().to_string();
  const Written result = written(*model, opset);
  if (!result.status.ok()) return "";
  EXPECT_EQ(result.message.opset_import(0).version(), opset);
  const std::string bytes = result.message.SerializeAsString();
  const auto again = import_onnx(as_bytes(bytes));
  EXPECT_TRUE(again.ok()) << again.status().to_string();
  // What was the newest form is the newest form again, but for defaults that it may spell out.
  const auto &before = model->graph().node(0), &after = again->graph().node(0);
  EXPECT_EQ(before.op, after.op);
  std::string text;
  google::protobuf::TextFormat::Printer printer;
  printer.SetSingleLineMode(true);
  printer.PrintToString(result.message.graph().node(0), &text);
  return text;
}

bool contains(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

TEST(OlderForms, AxesAreAttributesBeforeTheyBecameInputs) {
  const std::string graph = kX + output("y", dims({2, 6, 1, 1})) + "initializer { name: 'axes' dims: 2 data_type: 7 int64_data: 2 int64_data: 3 } " + node("ReduceMean", "x axes", "y");
  EXPECT_TRUE(contains(node_at(graph, 18), "input: \"axes\""));
  const std::string old = node_at(graph, 17);
  EXPECT_FALSE(contains(old, "input: \"axes\"")) << old;
  EXPECT_TRUE(contains(old, "name: \"axes\" ints: 2 ints: 3")) << old;
  EXPECT_EQ(written(*import_graph(graph), 17).message.graph().initializer_size(), 0);  // nobody reads it now
}

TEST(OlderForms, AxesThatAreComputedNeedTheirOpset) {
  const std::string graph = kX + input("axes", dims({2}), 7) + output("y", "dim { dim_param: 'a' }") + node("ReduceMean", "x axes", "y", integer("keepdims", 0));
  EXPECT_EQ(node_at(graph, 17), "");
  EXPECT_NE(node_at(graph, 18), "");
  const Status refused = written(*import_graph(graph), 17).status;
  EXPECT_TRUE(contains(refused.message(), "ReduceMean") && contains(refused.message(), "18")) << refused.to_string();
  EXPECT_EQ(written_opset(*import_graph(graph, 18)).opset, 18);
}

TEST(OlderForms, SoftmaxOverOneAxisOnly) {
  const auto graph = [](const std::string& shape, int axis) { return input("x", shape) + output("y", shape) + node("Softmax", "x", "y", integer("axis", axis)); };
  EXPECT_TRUE(contains(node_at(graph(dims({2, 3, 4}), -1), 11), "name: \"axis\" i: 2"));
  EXPECT_TRUE(contains(node_at(graph(dims({2, 3, 1}), 1), 12), "name: \"axis\" i: 1"));
  EXPECT_EQ(node_at(graph(dims({2, 3, 4}), 1), 12), "");
  EXPECT_NE(node_at(graph(dims({2, 3, 4}), 1), 13), "");
}

TEST(OlderForms, DefaultsDisappearAndOtherValuesRefuse) {
  const std::string shape = "initializer { name: 's' dims: 2 data_type: 7 int64_data: 12 int64_data: 16 } ", zero = "initializer { name: 's' dims: 2 data_type: 7 int64_data: 0 int64_data: -1 } ";
  const auto reshape = [&](const std::string& s, int allow) { return kX + output("y", "dim { dim_param: 'a' } dim { dim_param: 'b' }") + s + node("Reshape", "x s", "y", integer("allowzero", allow)); };
  EXPECT_FALSE(contains(node_at(reshape(shape, 1), 13), "allowzero"));  // no extent is 0: it says nothing
  EXPECT_FALSE(contains(node_at(reshape(zero, 0), 13), "allowzero"));
  EXPECT_TRUE(contains(node_at(reshape(shape, 1), 14), "allowzero"));
  EXPECT_EQ(node_at(kX + output("y", dims({2, 6, 4, 4})) + "initializer { name: 's' dims: 4 data_type: 7 int64_data: 2 int64_data: 6 int64_data: 4 int64_data: 0 } " +
                    node("Reshape", "x s", "y", integer("allowzero", 1)), 13), "");
  const auto pool = [](int dilation) {
    return kX + output("y", "dim {} dim {} dim {} dim {}") +
           node("AveragePool", "x", "y", "attribute { name: 'kernel_shape' type: INTS ints: 2 ints: 2 } attribute { name: 'dilations' type: INTS ints: " + std::to_string(dilation) + " ints: 1 }");
  };
  EXPECT_FALSE(contains(node_at(pool(1), 18), "dilations"));
  EXPECT_EQ(node_at(pool(2), 18), "");
  EXPECT_TRUE(contains(node_at(pool(2), 19), "dilations"));
}

TEST(OlderForms, ResizeNamesEmptyRegions) {
  const std::string graph = kX + output("y", dims({2, 6, 8, 8})) + "initializer { name: 's' dims: 4 data_type: 1 float_data: 1 float_data: 1 float_data: 2 float_data: 2 } " + node("Resize", "x - s", "y");
  EXPECT_TRUE(contains(node_at(graph, 13), "input: \"\" input: \"s\""));
  EXPECT_TRUE(contains(node_at(graph, 11), "input: \"empty\" input: \"s\""));
  const auto message = written(*import_graph(graph), 11).message;
  EXPECT_EQ(message.ir_version(), 6);
  EXPECT_EQ(message.graph().initializer_size(), 2);
}

TEST(OlderForms, GridSampleHasTheNamesOfItsTime) {
  const std::string text = "attribute { name: 'mode' type: STRING s: 'cubic' }";
  const std::string graph = kX + input("g", dims({2, 5, 5, 2})) + output("y", dims({2, 6, 5, 5})) + node("GridSample", "x g", "y", text);
  EXPECT_TRUE(contains(node_at(graph, 16), "s: \"bicubic\""));
  EXPECT_TRUE(contains(node_at(graph, 20), "s: \"cubic\""));
  EXPECT_EQ(node_at(graph, 15), "");
}

TEST(OlderForms, SplitIntoEqualPartsOnly) {
  const auto graph = [](int extent) { return input("x", dims({extent})) + output("a", "dim {}") + output("b", "dim {}") + node("Split", "x", "a b", integer("num_outputs", 2)); };
  EXPECT_FALSE(contains(node_at(graph(6), 17), "num_outputs"));
  EXPECT_EQ(node_at(graph(7), 17), "");
}

TEST(OlderForms, TypesThatCameLater) {
  const auto add = [](int type) { return input("x", dims({2}), type) + output("y", dims({2}), type) + node("Add", "x x", "y"); };
  EXPECT_NE(node_at(add(1), 11), "");
  EXPECT_EQ(node_at(add(3), 13), "");  // i8
  EXPECT_NE(node_at(add(3), 14), "");
  EXPECT_EQ(node_at(add(16), 12), "");  // bf16
  EXPECT_NE(node_at(add(16), 13), "");
}

TEST(OlderForms, BodiesCountToo) {
  const std::string branch = "g { name: 'b' " + output("s") + node("Gelu", "x", "s") + " } } ";
  const auto model = import_graph(input("c", "", 9) + input("x") + output("y") +
                                  node("If", "c", "y", "attribute { name: 'then_branch' type: GRAPH " + branch + "attribute { name: 'else_branch' type: GRAPH " + branch), 26);
  ASSERT_TRUE(model.ok()) << model.status().to_string();
  EXPECT_FALSE(check_export(*model, {.opset = 19}).ok());
  EXPECT_FALSE(written(*model, 19).status.ok());
  EXPECT_TRUE(written(*model, 20).status.ok());
}

TEST(OlderForms, TheFilesOpsetIsKept) {
  const std::string graph = input("x", dims({2, 3})) + output("y", dims({2, 3})) + node("Softmax", "x", "y", integer("axis", 1));
  for (const int opset : {11, 12, 13, 17, 21}) {
    const OpsetChoice choice = written_opset(*import_graph(graph, opset));
    EXPECT_EQ(choice.opset, opset);
    EXPECT_EQ(choice.because, "");
  }
  EXPECT_EQ(written_opset(*import_graph(graph, 9)).opset, 11);
  for (const int opset : {10, 27}) EXPECT_EQ(written(*import_graph(graph), opset).status.code(), ErrorCode::InvalidArgument);
}

}  // namespace
}  // namespace fovea::testing
