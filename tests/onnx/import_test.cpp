// SPDX-License-Identifier: Apache-2.0
// Importing plain graphs: names, constants, symbols, order, and the errors that name what is wrong.
#include "support.h"

namespace fovea::testing {
namespace {

TEST(Import, InitializerListedAsInputIsAConstant) {
  const auto model = import_graph(input("x") + input("w") + output("y") + "initializer { name: 'w' dims: 2 data_type: 1 float_data: [1, 2] } " +
                                  node("Identity", "w", "y") + node("Identity", "x", "unused"));
  ASSERT_TRUE(model.ok()) << model.status().to_string();
  ASSERT_EQ(model->inputs().size(), 1u);
  EXPECT_EQ(model->inputs()[0].name, "x");
  const ir::Graph& graph = model->graph();
  const Tensor& constant = graph.value(graph.find_value("w")).constant;
  ASSERT_TRUE(constant.defined());
  EXPECT_EQ(constant.data<float>()[1], 2.0f);
}

TEST(Import, SymbolsAreSharedByNameAndFreshWithoutName) {
  const auto model = import_graph(input("images", "dim { dim_param: 'batch size' } dim { dim_value: 3 } dim { } dim { dim_value: -1 }") +
                                  input("other", "dim { dim_param: 'batch size' } dim { dim_param: 'batch_size' }") + output("y") + node("Identity", "images", "y"));
  ASSERT_TRUE(model.ok()) << model.status().to_string();
  EXPECT_EQ(model->inputs()[0].shape, (std::vector<std::string>{"batch_size", "3", "images_2", "images_3"}));
  EXPECT_EQ(model->inputs()[1].shape, (std::vector<std::string>{"batch_size", "batch_size_1"}));
}

TEST(Import, NodesOutOfOrderAreSorted) {
  const auto model = import_graph(input("x") + output("y") + node("Identity", "a", "y") + node("Identity", "x", "a"));
  ASSERT_TRUE(model.ok()) << model.status().to_string();
  EXPECT_EQ(model->graph().value(model->graph().outputs[0]).name, "y");
}

TEST(Import, MetadataIsKept) {
  const auto model = import_graph(input("x") + output("y") + node("Identity", "x", "y"), 26, "producer_name: 'pt' metadata_props { key: 'k' value: 'v' }");
  ASSERT_TRUE(model.ok()) << model.status().to_string();
  EXPECT_EQ(model->graph().metadata.at("k"), "v");
  EXPECT_EQ(model->graph().metadata.at("onnx.producer_name"), "pt");
}

TEST(Import, LongNameOfTheDefaultDomain) {
  const auto model = import_graph(input("x") + output("y") + node("Identity", "x", "y", "domain: 'ai.onnx'"));
  ASSERT_TRUE(model.ok()) << model.status().to_string();
  EXPECT_EQ(ops_of(model->graph()), "Identity");
}

TEST(ImportError, Cycle) {
  EXPECT_ERROR(import_graph(input("x") + output("y") + node("Identity", "b", "a") + node("Identity", "a", "b") + node("Identity", "x", "y")).status(),
               InvalidModel, "cycle");
}

TEST(ImportError, MissingInput) {
  EXPECT_ERROR(import_graph(input("x") + output("y") + node("Identity", "nowhere", "y", "name: 'n1'")).status(), InvalidModel,
               "node 'n1' ('Identity'): input 'nowhere'");
}

TEST(ImportError, RequiredInputLeftOut) {
  EXPECT_ERROR(import_graph(input("x") + output("y") + node("Identity", "-", "y")).status(), InvalidModel, "inputs");
}

TEST(ImportError, ValueProducedTwice) {
  EXPECT_ERROR(import_graph(input("x") + output("y") + node("Identity", "x", "y") + node("Identity", "x", "y")).status(), InvalidModel, "'y' is defined twice");
}

TEST(ImportError, OutputProducedByNoNode) {
  EXPECT_ERROR(import_graph(input("x") + output("z") + node("Identity", "x", "y")).status(), InvalidModel, "graph output 'z'");
}

TEST(ImportError, AllUnknownOperatorsAtOnceWithNearestNames) {
  const Status status = import_graph(input("x") + output("y") + node("Identty", "x", "a", "name: 'first'") + node("Identty", "a", "b") +
                                     node("Foo", "b", "y", "domain: 'my.domain'"), 26, "opset_import { domain: 'my.domain' version: 1 }").status();
  EXPECT_ERROR(status, Unsupported, "'Identty' (2 nodes, first 'first')");
  EXPECT_ERROR(status, Unsupported, "'my.domain::Foo' (1 node");
  EXPECT_ERROR(status, Unsupported, "nearest to 'Identty': Identity");
}

TEST(ImportError, NewerOpset) {
  EXPECT_ERROR(import_graph(input("x") + output("y") + node("Identity", "x", "y"), 27).status(), Unsupported, "opset 27 is newer than 26");
}

TEST(ImportError, NoOpsetForTheDefaultDomain) {
  const std::string bytes = parse("ir_version: 8 graph { " + input("x") + output("y") + node("Identity", "x", "y") + " }").SerializeAsString();
  EXPECT_ERROR(import_onnx(as_bytes(bytes)).status(), InvalidModel, "default operator set");
}

TEST(ImportError, AttributeNotKnown) {
  EXPECT_ERROR(import_graph(input("x") + output("y") + node("Identity", "x", "y", "attribute { name: 'slope' type: INT i: 1 }")).status(), InvalidModel,
               "unknown attribute 'slope'");
}

TEST(ImportError, FileIsMissing) { EXPECT_ERROR(import_onnx(std::filesystem::path("/nowhere/net.onnx")).status(), NotFound, "/nowhere/net.onnx"); }

}  // namespace
}  // namespace fovea::testing
