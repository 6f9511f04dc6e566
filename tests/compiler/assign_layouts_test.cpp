// SPDX-License-Identifier: Apache-2.0
// Layout assignment on graphs as text: where reorders stand and which values are channels-last.
#include "compiler/assign_layouts.h"

#include <gtest/gtest.h>

#include "compiler/infer_shapes.h"
#include "ir/text.h"
#include "ir/verify.h"

namespace fovea::compiler {
namespace {

struct LayoutCase {
  const char* name;
  const char* text;
  int reorders;
  std::vector<const char*> channels_last;  ///< values that must be
};

class AssignLayouts : public ::testing::TestWithParam<LayoutCase> {};

TEST_P(AssignLayouts, InsertsTheFewestReorders) {
  ir::Graph graph = ir::parse(GetParam().text).value();
  ASSERT_TRUE(infer_shapes(graph).ok());
  const Status status = assign_layouts(graph, "cpu");
  ASSERT_TRUE(status.ok()) << status.message();
  const Status valid = ir::verify(graph);
  ASSERT_TRUE(valid.ok()) << valid.message();
  int reorders = 0;
  for (ir::NodeId id : graph.topological_order()) reorders += graph.node(id).op == "fovea::reorder";
  EXPECT_EQ(reorders, GetParam().reorders) << ir::print(graph);
  for (const char* name : GetParam().channels_last) {
    EXPECT_EQ(graph.value(graph.find_value(name)).layout, Layout::nhwc) << name << "\n" << ir::print(graph);
  }
  for (ir::ValueId output : graph.outputs) EXPECT_EQ(graph.value(output).layout, Layout::plain);
  for (ir::ValueId input : graph.inputs) EXPECT_EQ(graph.value(input).layout, Layout::plain);
}

INSTANTIATE_TEST_SUITE_P(Cases, AssignLayouts, ::testing::Values(
    LayoutCase{"NoConvolutionNoReorder", R"(graph g(x: f32[1,8,4,4]) -> (y) {
  y = Relu(x)
})", 0, {}},
    LayoutCase{"FollowersShareTheRegion", R"(graph g(x: f32[1,8,4,4]) -> (y) {
  const w: f32[8,8,1,1] = rand(1, -1, 1)
  a = Conv(x, w)
  b = Relu(a)
  c = MaxPool(b) {kernel_shape=[2,2], strides=[2,2]}
  d = Conv(c, w)
  e = Concat(c, d) {axis=1}
  y = Sigmoid(e)
})", 2, {"a", "b", "c", "d", "e"}},
    LayoutCase{"RegionsOfAMap", R"(graph g(x: f32[1,8,4,4], rois: f32[5,4], images: i64[5]) -> (y) {
  const w: f32[8,8,1,1] = rand(1, -1, 1)
  a = Conv(x, w)
  b = RoiAlign(a, rois, images) {output_height=2, output_width=2}
  y = Conv(b, w)
})", 2, {"a", "b"}},
    LayoutCase{"RegionsWhoseNumberIsOpen", R"(graph g(x: f32[1,8,4,4], rois: f32[R,4], images: i64[R]) -> (y) {
  const w: f32[8,8,1,1] = rand(1, -1, 1)
  a = Conv(x, w)
  b = RoiAlign(a, rois, images) {output_height=2, output_width=2}
  y = Conv(b, w)
})", 4, {"a"}},
    LayoutCase{"WhatFeedsAConvolutionJoinsIt", R"(graph g(x: f32[1,8,4,4]) -> (y) {
  const w: f32[8,8,1,1] = rand(1, -1, 1)
  a = Relu(x)
  y = Conv(a, w)
})", 2, {"a"}},
    LayoutCase{"TransposesConvert", R"(graph g(x: f32[1,8,4,4]) -> (y) {
  const w: f32[8,8,1,1] = rand(1, -1, 1)
  a = Conv(x, w)
  y = Transpose(a) {perm=[0,2,3,1]}
})", 1, {"a"}},
    LayoutCase{"SpatialMeansReadAnyLayout", R"(graph g(x: f32[1,8,4,4]) -> (y) {
  const w: f32[8,8,1,1] = rand(1, -1, 1)
  const axes: i64[2] = [2, 3]
  a = Conv(x, w)
  y = ReduceMean(a, axes) {keepdims=0}
})", 1, {"a"}}),
    [](const auto& instance) { return instance.param.name; });

}  // namespace
}  // namespace fovea::compiler
