// SPDX-License-Identifier: Apache-2.0
// LayerNormalization as the LayerNorm plugins: what they compute, what stays, and the way through ONNX and back.
#include "passes/lower_layer_norm.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "fovea/model.h"
#include "ir/text.h"
#include "pass_case.h"
#include "passes/fuse_norm_affine.h"
#include "passes/infer_shapes.h"

namespace fovea::passes {
namespace {

ir::Graph norm(const std::string& shape, const std::string& scale, const std::string& attributes) {
  return ir::parse("graph t(x: " + shape + ") -> (y) {\n const g: " + scale + "\n const b: f32[256] = rand(2, -1, 1)\n y: " + shape +
                   " = LayerNormalization(x, g, b) {" + attributes + "}\n}")
      .value();
}

constexpr const char* kScale = "f32[256] = rand(1, 0.5, 2)";

std::string ops(const ir::Graph& graph) {
  std::string list;
  for (const ir::NodeId id : graph.topological_order()) list += graph.node(id).op + " ";
  return list;
}

TEST(LowerLayerNorm, FactorAndSummandStayOutside) {
  ir::Graph graph = norm("f32[N,5,256]", kScale, "axis=-1, epsilon=1e-5");
  EXPECT_EQ(lower_layer_norm(graph, LayerNormPlugin::V1).lowered, 1);
  EXPECT_EQ(ops(graph), "LayerNorm Mul Add ");
  ir::Graph plain = norm("f32[N,5,256]", "f32[256] = ones", "axis=2");
  EXPECT_EQ(lower_layer_norm(plain, LayerNormPlugin::V2).lowered, 1);
  EXPECT_EQ(ops(plain), "LayerNorm Add ");
}

TEST(LowerLayerNorm, WhatAPluginDoesNotComputeStays) {
  const auto reason = [](ir::Graph graph, LayerNormPlugin plugin) {
    const LoweredNorms result = lower_layer_norm(graph, plugin);
    EXPECT_EQ(ops(graph), result.lowered ? "LayerNorm Mul Add " : "LayerNormalization ");
    return result.left.empty() ? std::string("lowered") : result.left[0];
  };
  const ir::Graph rank2 = norm("f32[5,256]", kScale, "axis=-1"), epsilon = norm("f32[N,5,256]", kScale, "axis=-1, epsilon=1e-6");
  EXPECT_EQ(reason(rank2, LayerNormPlugin::V1), "node 'y' stays: rank 2, the plugin computes rank 3");
  EXPECT_EQ(reason(rank2, LayerNormPlugin::V2), "lowered");
  EXPECT_EQ(reason(epsilon, LayerNormPlugin::V1), "lowered");
  EXPECT_EQ(reason(epsilon, LayerNormPlugin::V2), "node 'y' stays: epsilon 1e-06, the plugin computes with 1e-5");
  EXPECT_EQ(reason(norm("f32[N,5,C]", kScale, "axis=-1"), LayerNormPlugin::V1), "node 'y' stays: C columns, the plugin computes 256");
  EXPECT_EQ(reason(norm("f32[N,5,256]", "f32[5,256] = rand(1, 0.5, 2)", "axis=-2"), LayerNormPlugin::V1), "node 'y' stays: more axes than the last");
}

TEST(LowerLayerNorm, ThroughOnnxAndBack) {
  ir::Graph graph = norm("f32[N,5,256]", kScale, "epsilon=0.5");
  ir::Graph lowered = graph;
  EXPECT_EQ(lower_layer_norm(lowered, LayerNormPlugin::V1).lowered, 1);
  const auto file = std::filesystem::temp_directory_path() / ("fovea_lower_layer_norm_" + std::to_string(::getpid()) + ".onnx");
  const Status written = export_onnx(Model(std::make_shared<const ir::Graph>(lowered)), file);
  ASSERT_TRUE(written.ok()) << written.to_string();
  const auto model = import_onnx(file);
  std::filesystem::remove(file);
  ASSERT_TRUE(model.ok()) << model.status().to_string();
  ir::Graph again = model->graph();
  ASSERT_TRUE(infer_shapes(again).ok());
  ASSERT_TRUE(fuse_norm_affine(again).value());
  EXPECT_EQ(testing::normal_text(again), testing::normal_text(graph));
}

}  // namespace
}  // namespace fovea::passes
