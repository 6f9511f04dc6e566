// SPDX-License-Identifier: Apache-2.0
// Graph -> ONNX -> Graph: the same network again.
#include "ops/schema.h"
#include "support.h"

namespace fovea::testing {
namespace {

onnx_proto::ModelProto exported(const Model& model) {
  const TemporaryFolder folder;
  const Status status = export_onnx(model, folder / "out.onnx");
  EXPECT_TRUE(status.ok()) << status.to_string();
  onnx_proto::ModelProto message;
  std::ifstream in(folder / "out.onnx", std::ios::binary);
  EXPECT_TRUE(message.ParseFromIstream(&in));
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder.path()), {}), 1);
  return message;
}

Result<Model> reimported(const Model& model) {
  const std::string bytes = exported(model).SerializeAsString();
  return import_onnx(as_bytes(bytes));
}

TEST(Export, PlainGraphComesBack) {
  const auto model = import_graph(input("x", "dim { dim_param: 'N' } dim { dim_value: 2 }") + output("y", "dim { dim_param: 'N' } dim { dim_value: 2 }") + output("k", "dim { dim_value: 3 }", 22) +
                                  "initializer { name: 'k' dims: 3 data_type: 22 raw_data: '\\xf1\\x08' } " + node("Identity", "x", "y", "name: 'id'"), 13,
                                  "metadata_props { key: 'task' value: 'detect' }");
  ASSERT_TRUE(model.ok()) << model.status().to_string();
  const auto message = exported(*model);
  EXPECT_EQ(message.opset_import(0).version(), 21);  // the first with four-bit integers
  EXPECT_EQ(message.graph().initializer(0).raw_data(), "\xf1\x08");
  const auto again = reimported(*model);
  ASSERT_TRUE(again.ok()) << again.status().to_string();
  EXPECT_EQ(again->inputs()[0].shape, (std::vector<std::string>{"N", "2"}));
  EXPECT_EQ(again->outputs()[1].type, DataType::i4);
  EXPECT_EQ(again->graph().metadata.at("task"), "detect");
  EXPECT_EQ(ops_of(again->graph()), "Identity");
}

TEST(Export, CapturesBecomeOuterNames) {
  const std::string branches = "attribute { name: 'then_branch' type: GRAPH g { name: 't' " + output("s") + node("Identity", "x", "s") + " } } "
                               "attribute { name: 'else_branch' type: GRAPH g { name: 'e' " + output("x") + " } } ";
  // Both branches and the main graph call something 's': ONNX wants names to be apart.
  const auto model = import_graph(input("c", "", 9) + input("x") + output("y") + output("s") + node("If", "c", "y", branches) + node("Identity", "x", "s"));
  ASSERT_TRUE(model.ok()) << model.status().to_string();
  const auto message = exported(*model);
  const auto& branch_node = message.graph().node(0).op_type() == "If" ? message.graph().node(0) : message.graph().node(1);
  EXPECT_EQ(branch_node.input_size(), 1);
  ASSERT_EQ(branch_node.attribute_size(), 2);
  const auto& then_branch = branch_node.attribute(0).g();
  EXPECT_EQ(then_branch.input_size(), 0);
  EXPECT_EQ(then_branch.node(0).input(0), "x");
  EXPECT_NE(then_branch.output(0).name(), "s");
  const auto& else_branch = branch_node.attribute(1).g();
  ASSERT_EQ(else_branch.node_size(), 1);
  EXPECT_EQ(else_branch.node(0).op_type(), "Identity");
  const auto again = reimported(*model);
  ASSERT_TRUE(again.ok()) << again.status().to_string();
  EXPECT_EQ(again->graph().producer(again->graph().outputs[0])->attributes.get_int("captures"), 1);
}

TEST(Export, OwnOperatorsHaveTheirDomain) {
  auto graph = std::make_shared<ir::Graph>();
  const auto x = graph->add_value("x", {ValueType::Kind::Tensor, DataType::f32}, SymbolicShape{2});
  graph->inputs = {x};
  Attributes attributes;
  attributes.set("captures", std::int64_t{0});
  attributes.set("scale", 0.5);
  graph->outputs = {graph->add_node("fovea::pointwise", "y", {x}, attributes)};
  const auto message = exported(Model(graph));
  EXPECT_EQ(message.graph().node(0).domain(), "fovea");
  EXPECT_EQ(message.graph().node(0).op_type(), "pointwise");
  EXPECT_EQ(message.graph().node(0).attribute_size(), 1);
  EXPECT_EQ(message.opset_import(1).domain(), "fovea");
}

}  // namespace
}  // namespace fovea::testing
