// SPDX-License-Identifier: Apache-2.0
// Aliases of the sampling operators: deformable attention and grid_sampler under the names of other frameworks.
#include "support.h"

namespace fovea::testing {
namespace {


/// Two levels, one query, two heads of three channels, two points.
Result<Model> attention(const std::string& op, const std::string& domain, const std::string& attributes = {}, const std::string& y = dims({1, 1, 6})) {
  return import_graph(node(op, "value shapes starts locations weights", "y", "name: 'msda' domain: '" + domain + "' " + attributes) +
                          input("value", dims({1, 5, 2, 3})) + input("shapes", dims({2, 2}), 6) + input("starts", dims({2}), 7) +
                          input("locations", dims({1, 1, 2, 2, 2, 2})) + input("weights", dims({1, 1, 2, 2, 2})) + output("y", y),
                      17, domain.empty() ? std::string() : "opset_import { domain: '" + domain + "' version: 1 }");
}

TEST(SamplingAlias, MmcvAndMmdeploy) {
  for (const char* domain : {"mmcv", "mmdeploy", "custom_op", ""}) {
    for (const char* op : {"MMCVMultiScaleDeformableAttention", "MultiScaleDeformableAttention", "ms_deform_attn"}) {
      const auto model = attention(op, domain, integer("im2col_step", 64));
      ASSERT_TRUE(model.ok()) << op << " " << domain << ": " << model.status().to_string();
      EXPECT_EQ(ops_of(model->graph()), "mmdeploy::MMCVMultiScaleDeformableAttention");
    }
  }
}

TEST(SamplingAlias, TensorRtKeepsHeadsApart) {
  const std::string version = "attribute { name: 'plugin_version' type: STRING s: '2' } attribute { name: 'plugin_namespace' type: STRING } ";
  const auto model = attention("MultiscaleDeformableAttnPlugin_TRT", "", version, dims({1, 1, 2, 3}));
  ASSERT_TRUE(model.ok()) << model.status().to_string();
  const ir::Graph& graph = model->graph();
  EXPECT_NE(ops_of(graph).find("mmdeploy::MMCVMultiScaleDeformableAttention Reshape"), std::string::npos) << ops_of(graph);
}

TEST(SamplingAlias, FlashDeformAttention) {
  const auto flash = [](const char* op, const std::string& attributes) {
    return import_graph(node(op, "value shapes starts packed", "y", "domain: 'custom_op' " + attributes) + input("value", dims({1, 5, 2, 3})) +
                            input("shapes", dims({2, 2}), 7) + input("starts", dims({2}), 7) + input("packed", dims({1, 1, 2, 12})) +
                            output("y", dims({1, 1, 6})),
                        17, "opset_import { domain: 'custom_op' version: 1 }");
  };
  for (const char* op : {"FlashDeformAttn", "FlashDeformAttn_Plugin"}) {
    const auto model = flash(op, integer("points", 2) + integer("im2col_step", 64) + integer("softmax", 0));
    ASSERT_TRUE(model.ok()) << op << ": " << model.status().to_string();
    EXPECT_EQ(ops_of(model->graph()), "custom_op::FlashDeformAttn");
  }
  EXPECT_ERROR(flash("FlashDeformAttn", "").status(), InvalidModel, "points");
}

Result<Model> grid_sampler(const std::string& attributes) {
  return import_graph(node("grid_sampler", "x grid", "y", "domain: 'mmdeploy' " + attributes) + input("x", dims({1, 1, 3, 3})) +
                          input("grid", dims({1, 1, 4, 2})) + output("y", dims({1, 1, 1, 4})),
                      17, "opset_import { domain: 'mmdeploy' version: 1 }");
}

TEST(SamplingAlias, GridSamplerSpellsModesAsNumbers) {
  const auto model = grid_sampler(integer("interpolation_mode", 2) + integer("padding_mode", 1) + integer("align_corners", 1));
  ASSERT_TRUE(model.ok()) << model.status().to_string();
  const ir::Graph& graph = model->graph();
  const ir::Node& made = graph.node(graph.topological_order().front());
  EXPECT_EQ(made.op, "GridSample");
  EXPECT_EQ(made.attributes.get_string("mode", ""), "cubic");
  EXPECT_EQ(made.attributes.get_string("padding_mode", ""), "border");
  EXPECT_EQ(made.attributes.get_int("align_corners", 0), 1);
  EXPECT_TRUE(grid_sampler("").ok());
}

TEST(SamplingAlias, GridSamplerNamesWhatIsAllowed) {
  EXPECT_ERROR(grid_sampler(integer("interpolation_mode", 3)).status(), InvalidModel, "interpolation_mode: expected 0 (linear), 1 (nearest), 2 (cubic); found 3");
  EXPECT_ERROR(grid_sampler(integer("padding_mode", -1)).status(), InvalidModel, "padding_mode: expected 0 (zeros), 1 (border), 2 (reflection); found -1");
  EXPECT_ERROR(grid_sampler(integer("mode", 1)).status(), InvalidModel, "unknown attribute 'mode'");
}

}  // namespace
}  // namespace fovea::testing
