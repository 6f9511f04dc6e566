// SPDX-License-Identifier: Apache-2.0
// Aliases: nodes as other frameworks write them, in any domain that counts.
#include "onnx/alias.h"

#include "passes/infer_shapes.h"
#include "support.h"

namespace fovea::testing {
namespace {


std::string ints(const std::string& name, std::initializer_list<int> values) {
  std::string text = "attribute { name: '" + name + "' type: INTS ";
  for (const int value : values) text += "ints: " + std::to_string(value) + " ";
  return text + "} ";
}


/// A deformable convolution as `op` of `domain`: x [1,2,3,3], offset [1,8,4,1], weight [2,2,2,2].
Result<Model> deform_conv(const std::string& op, const std::string& inputs, const std::string& domain, const std::string& attributes) {
  return import_graph(node(op, inputs, "y", "name: 'dcn' domain: '" + domain + "' " + attributes) + input("x", dims({1, 2, 3, 3})) +
                          input("offset", dims({1, 8, 4, 1})) + input("mask", dims({1, 4, 4, 1})) + input("weight", dims({2, 2, 2, 2})) +
                          output("y", dims({1, 2, 4, 1})),
                      17, "opset_import { domain: '" + domain + "' version: 1 }");
}

TEST(Alias, MmcvOrderHeightBeforeWidth) {
  const auto model = deform_conv("MMCVDeformConv2d", "x offset weight", "mmdeploy", ints("stride", {1, 2}) + ints("padding", {1, 0, 1, 0}));
  ASSERT_TRUE(model.ok()) << model.status().to_string();
}

TEST(Alias, MaskBeforeTheWeights) {
  const auto model = deform_conv("MMCVModulatedDeformConv2d", "x offset mask weight", "mmcv", ints("stride", {1, 2}) + ints("padding", {1, 0}));
  ASSERT_TRUE(model.ok()) << model.status().to_string();
}

TEST(Alias, AttributesOfTensorRtCountForNothing) {
  const std::string version = "attribute { name: 'plugin_version' type: STRING s: '1' } ";
  EXPECT_TRUE(deform_conv("MMCVDeformConv2d", "x offset weight", "TRT", version + ints("stride", {1, 2}) + ints("padding", {1, 0})).ok());
}

TEST(Alias, UnknownAttributeIsNamedWithTheKnownOnes) {
  const auto model = deform_conv("MMCVDeformConv2d", "x offset weight", "mmcv", integer("strides", 1));
  EXPECT_ERROR(model.status(), InvalidModel, "MMCVDeformConv2d: unknown attribute 'strides'; known: stride");
}

TEST(Alias, PaddingOfOneSideOnly) {
  const auto model = deform_conv("MMCVDeformConv2d", "x offset weight", "mmcv", ints("padding", {1, 0, 2, 0}));
  EXPECT_ERROR(model.status(), InvalidModel, "padding: expected 1 or 2 numbers (height, width), or 4 as height, height, width, width; found 1, 0, 2, 0");
}

/// Attributes of the operator that a node becomes.
std::vector<std::int64_t> translated(const std::string& attributes, const char* name) {
  const auto model = deform_conv("MMCVDeformConv2d", "x offset weight", "mmdeploy", attributes);
  if (!model.ok()) {
    ADD_FAILURE() << model.status().to_string();
    return {};
  }
  const ir::Graph& graph = model->graph();
  const Attributes& found = graph.node(graph.topological_order().front()).attributes;
  const std::vector<std::int64_t> list = found.get_ints(name);
  return list.empty() ? std::vector<std::int64_t>{found.get_int(name, -1)} : list;
}

TEST(Alias, PaddingAndGroupsInEverySpelling) {
  using Ints = std::vector<std::int64_t>;
  EXPECT_EQ(translated("", "pads"), (Ints{0, 0, 0, 0}));
  EXPECT_EQ(translated(ints("padding", {2}), "pads"), (Ints{2, 2, 2, 2}));
  EXPECT_EQ(translated(ints("padding", {1, 2}), "pads"), (Ints{1, 2, 1, 2}));
  EXPECT_EQ(translated(ints("padding", {1, 1, 2, 2}), "pads"), (Ints{1, 2, 1, 2}));  // mmdeploy's order
  EXPECT_EQ(translated(ints("padding", {1, 2, 1, 2}), "pads"), (Ints{1, 2, 1, 2}));
  EXPECT_EQ(translated(ints("stride", {3}), "strides"), (Ints{3, 3}));
  EXPECT_EQ(translated(ints("dilation", {1, 3}), "dilations"), (Ints{1, 3}));
  EXPECT_EQ(translated("", "group"), (Ints{1}));
  for (const char* name : {"group", "groups"}) EXPECT_EQ(translated(integer(name, 2), "group"), (Ints{2})) << name;
  for (const char* name : {"deform_groups", "deformable_groups", "deform_group", "deformable_group"}) {
    EXPECT_EQ(translated(integer(name, 2), "offset_group"), (Ints{2})) << name;
  }
}

TEST(Alias, NumbersThatMakeNoSense) {
  const auto refused = [](const std::string& attributes) { return deform_conv("MMCVDeformConv2d", "x offset weight", "mmcv", attributes).status(); };
  EXPECT_ERROR(refused(ints("stride", {1, 1, 1, 1})), InvalidModel, "stride: expected 1 or 2 numbers (height, width), found 4");
  EXPECT_ERROR(refused(ints("dilation", {1, 1, 1})), InvalidModel, "dilation: expected 1 or 2 numbers");
  EXPECT_ERROR(refused(integer("group", 1) + integer("groups", 2)), InvalidModel, "expected 2 as under another name of it, found 1");
}

TEST(Alias, WrongValuesAreSaidOfTheFilesAttributes) {
  const auto inferred = [](const Result<Model>& model) {
    ir::Graph graph = model.ok() ? model->graph() : ir::Graph();
    return model.ok() ? passes::infer_shapes(graph) : model.status();
  };
  const auto refused = [&](const std::string& attributes) { return inferred(deform_conv("MMCVDeformConv2d", "x offset weight", "mmcv", attributes)); };
  EXPECT_ERROR(refused(ints("stride", {1, 0})), InvalidModel, "node 'dcn' (mmcv::MMCVDeformConv2d): stride: expected numbers in 1..");
  EXPECT_ERROR(refused(ints("padding", {-1, 0})), InvalidModel, "(mmcv::MMCVDeformConv2d): padding: expected");
  EXPECT_ERROR(refused(integer("deformable_group", 0)), InvalidModel, "(mmcv::MMCVDeformConv2d): deformable_group: expected a number in 1..");
  const auto torchvision = inferred(deform_conv("deform_conv2d", "x weight offset mask", "torchvision", integer("dilation_h", 1) + integer("dilation_w", 0)));
  EXPECT_ERROR(torchvision, InvalidModel, "(torchvision::deform_conv2d): dilation_h, dilation_w: expected numbers in 1..");
}

TEST(Alias, TorchvisionMaskCountsOnlyIfItIsUsed) {
  for (const int use : {0, 1}) {
    const auto model = deform_conv("deform_conv2d", "x weight offset mask", "torchvision", integer("use_mask", use) + integer("offset_groups", 1) + integer("stride_w", 2) + integer("pad_h", 1));
    ASSERT_TRUE(model.ok()) << model.status().to_string();
    const ir::Graph& graph = model->graph();
    const ir::Node& node = graph.node(graph.topological_order().front());
    EXPECT_EQ(node.has_input(4), use == 1);
    EXPECT_EQ(node.attributes.get_ints("strides"), (std::vector<std::int64_t>{1, 2}));
    EXPECT_EQ(node.attributes.get_ints("pads"), (std::vector<std::int64_t>{1, 0, 1, 0}));
  }
}

TEST(Alias, AnotherDomainSaysWhereTheNameIsKnown) {
  const auto model = deform_conv("deform_conv2d", "x weight offset", "elsewhere", "");
  EXPECT_ERROR(model.status(), Unsupported, "known in the domains torchvision");
}

/// DCNv4 as its exporter writes it, without the attributes that have defaults.
Result<Model> dcnv4(const std::string& domain, const std::string& attributes) {
  return import_graph(node("DCNv4_Plugin", "value offset", "y", "name: 'levels.0' domain: '" + domain + "' " + attributes) + input("value", dims({1, 4, 5, 4})) +
                          input("offset", dims({1, 4, 5, 56})) + output("y", dims({1, 4, 5, 4})),
                      17, domain.empty() ? "" : "opset_import { domain: '" + domain + "' version: 1 }");
}

TEST(Alias, Dcnv4InAnyDomain) {
  const std::string plugin = "attribute { name: 'plugin_version' type: STRING s: '1' } attribute { name: 'plugin_namespace' type: STRING s: '' } ";
  for (const char* domain : {"", "custom_op", "TRT", "somewhere.else"}) {
    const auto model = dcnv4(domain, plugin + integer("group", 2) + integer("group_channels", 2) + integer("step", 256));
    EXPECT_TRUE(model.ok()) << domain << ": " << model.status().to_string();
  }
}

TEST(Alias, Dcnv4NeedsItsGroups) {
  EXPECT_ERROR(dcnv4("custom_op", integer("group", 2)).status(), InvalidModel, "group_channels");
  EXPECT_ERROR(dcnv4("custom_op", integer("group", 2) + integer("group_channels", 2) + integer("groups", 2)).status(), InvalidModel, "unknown attribute 'groups'");
}

std::string list_of_one(const std::string& name, float value) { return "attribute { name: '" + name + "' type: FLOATS floats: " + std::to_string(value) + " } "; }

/// x [2,4] through one node of a domain.
Result<Model> on_matrix(const std::string& op, const std::string& domain, const std::string& attributes, const std::string& outputs = "y") {
  return import_graph(node(op, "x", outputs, "name: 'n' domain: '" + domain + "' " + attributes) + input("x", dims({2, 4})) + output("y", dims({2, 4})), 17,
                      domain.empty() ? "" : "opset_import { domain: '" + domain + "' version: 1 }");
}

TEST(Alias, RunningExtremesInAnyDomain) {
  for (const char* domain : {"", "mmcv", "mmdeploy", "custom_op", "aten"}) {
    const auto model = on_matrix("cummax", domain, integer("dim", -1), "y i");
    ASSERT_TRUE(model.ok()) << domain << ": " << model.status().to_string();
    EXPECT_EQ(ops_of(model->graph()), "mmcv::cummax") << domain;
  }
  EXPECT_ERROR(on_matrix("cummin", "mmcv", integer("axis", 0)).status(), InvalidModel, "cummin: unknown attribute 'axis'; known: dim");
}

TEST(Alias, LayerNormPluginHasOneNumberAsScale) {
  for (const char* domain : {"", "custom_op", "TRT"}) {
    const auto model = on_matrix("LayerNorm", domain, list_of_one("epsilon", 0.5f));
    ASSERT_TRUE(model.ok()) << domain << ": " << model.status().to_string();
    const ir::Graph& graph = model->graph();
    ASSERT_EQ(ops_of(graph), "LayerNormalization") << domain;
    const ir::Node& norm = graph.node(graph.topological_order()[0]);
    EXPECT_EQ(norm.attributes.get_float("epsilon"), 0.5);
    EXPECT_EQ(graph.value(norm.inputs[1]).constant.elements(), 1);
  }
  EXPECT_ERROR(on_matrix("LayerNorm", "", integer("epsilon", 1)).status(), InvalidModel, "'epsilon' must be of type float (default 1e-5)");
}

TEST(Alias, InstanceNormalizationRenamed) {
  for (const char* op : {"MMCVInstanceNormalization", "TRTInstanceNormalization"}) {
    const auto model = import_graph(node(op, "x s b", "y", "domain: 'mmdeploy' " + list_of_one("epsilon", 0.5f)) + input("x", dims({1, 2, 4})) + input("s", dims({2})) +
                                        input("b", dims({2})) + output("y", dims({1, 2, 4})),
                                    17, "opset_import { domain: 'mmdeploy' version: 1 }");
    ASSERT_TRUE(model.ok()) << op << ": " << model.status().to_string();
    EXPECT_EQ(ops_of(model->graph()), "InstanceNormalization");
  }
}

}  // namespace
}  // namespace fovea::testing
