// SPDX-License-Identifier: Apache-2.0
// What a profile counts: hand-counted multiplications and additions of one small step for each rule.
#include "runtime/work_estimate.h"

#include <gtest/gtest.h>

namespace fovea {
namespace {

struct Counted {
  std::string op;
  std::vector<std::pair<std::string, std::int64_t>> attributes;
  std::vector<Shape> inputs;  ///< no extents: missing
  Shape output;
  double flops;
};

const Shape kMissing = {};

double flops_of(const Counted& step, const Attributes& more = {}) {
  Attributes attributes = more;
  for (const auto& [name, value] : step.attributes) attributes.set(name, value);
  std::vector<TensorDesc> inputs;
  for (const Shape& shape : step.inputs) inputs.push_back(shape.rank() == 0 ? TensorDesc() : TensorDesc::dense(DataType::f32, shape));
  const TensorDesc output = TensorDesc::dense(DataType::f32, step.output);
  return estimate_work(step.op, attributes, inputs, {&output, 1}).flops;
}

TEST(WorkEstimate, CountedByHand) {
  const Counted steps[] = {
      {"fovea::conv", {}, {{1, 4, 6, 6}, {8, 4, 3, 3}}, {1, 8, 4, 4}, 2. * 128 * 36},
      {"Conv", {{"group", 4}}, {{1, 4, 6, 6}, {4, 1, 3, 3}}, {1, 4, 4, 4}, 2. * 64 * 9},
      {"QLinearConv", {}, {{1, 4, 6, 6}, {1}, {1}, {8, 4, 1, 1}, {8}, {8}, {1}, {1}}, {1, 8, 6, 6}, 2. * 288 * 4},
      {"ConvTranspose", {}, {{1, 4, 3, 3}, {4, 8, 2, 2}}, {1, 8, 6, 6}, 2. * 36 * 32},
      {"MatMul", {}, {{2, 5, 7}, {7, 3}}, {2, 5, 3}, 2. * 30 * 7},
      {"fovea::matmul", {{"transA", 1}}, {{2, 7, 5}, {7, 3}}, {2, 5, 3}, 2. * 30 * 7},
      {"Gemm", {{"transA", 1}, {"transB", 1}}, {{7, 5}, {3, 7}}, {5, 3}, 2. * 15 * 7},
      // 2 items, 3 heads, 5 queries, 7 keys (11 with the cache), 4 wide, values 6 wide.
      {"Attention", {}, {{2, 3, 5, 4}, {2, 3, 7, 4}, {2, 3, 7, 6}}, {2, 3, 5, 6}, 2. * 2 * 3 * 5 * 7 * (4 + 6)},
      {"Attention", {}, {{2, 3, 5, 4}, {2, 3, 7, 4}, {2, 3, 7, 6}, kMissing, {2, 3, 4, 4}, {2, 3, 4, 6}}, {2, 3, 5, 6}, 2. * 2 * 3 * 5 * 11 * (4 + 6)},
      {"Attention", {{"q_num_heads", 6}, {"kv_num_heads", 3}}, {{2, 5, 24}, {2, 7, 12}, {2, 7, 18}}, {2, 5, 36}, 2. * 2 * 6 * 5 * 7 * (4 + 6)},
      // 9 points of 4 corners for each of 32 channels at each of 20 pixels.
      {"custom_op::DCNv4_Plugin", {{"group", 2}, {"group_channels", 16}}, {{1, 4, 5, 32}, {1, 4, 5, 56}}, {1, 4, 5, 32}, 20. * 32 * 9 * 8},
      {"custom_op::DCNv4FuseOffset_Plugin", {{"group", 2}, {"group_channels", 16}, {"remove_center", 1}}, {{1, 4, 5, 88}}, {1, 4, 5, 32}, 20. * 32 * 8 * 8},
      {"mmdeploy::MMCVMultiScaleDeformableAttention", {}, {{1, 30, 2, 8}, {2, 2}, {2}, {1, 5, 2, 2, 4, 2}, {1, 5, 2, 2, 4}}, {1, 5, 16}, 5. * 16 * 8 * 8},
      {"custom_op::FlashDeformAttn", {{"points", 4}}, {{1, 30, 2, 8}, {2, 2}, {2}, {1, 5, 2, 24}}, {1, 5, 16}, 5. * 16 * 8 * 8},
      // 16 output pixels, 36 products each for 8 channels, 36 samples each.
      {"DeformConv", {}, {{1, 4, 6, 6}, {8, 4, 3, 3}, {1, 18, 4, 4}}, {1, 8, 4, 4}, 2. * 16 * 8 * 36 + 16. * 36 * 8},
      {"GridSample", {}, {{1, 4, 6, 6}, {1, 3, 3, 2}}, {1, 4, 3, 3}, 36. * 8},
      {"RoiAlign", {{"sampling_ratio", 2}}, {{1, 4, 6, 6}, {3, 4}, {3}}, {3, 4, 1, 1}, 12. * 4 * 8},
      {"mmdeploy::MMCVMultiLevelRoiAlign", {}, {{3, 5}, {1, 4, 6, 6}}, {3, 4, 7, 7}, 0},  // which map is read? no strides, no figure
      {"LSTM", {}, {{6, 2, 3}, {1, 20, 3}, {1, 20, 5}}, {6, 1, 2, 5}, 2. * 6 * 2 * (60 + 100)},
      {"LayerNormalization", {}, {{2, 8}, {8}, {8}}, {2, 8}, 16. * 8},
      {"Softmax", {}, {{2, 8}}, {2, 8}, 48},
      {"GlobalAveragePool", {}, {{1, 4, 6, 6}}, {1, 4, 1, 1}, 144},
      {"Add", {}, {{2, 8}, {8}}, {2, 8}, 16},
      {"Conv", {}, {{1, 4, 6, 6}, kMissing}, {1, 8, 4, 4}, 0},
  };
  for (const Counted& step : steps) EXPECT_EQ(flops_of(step), step.flops) << step.op;
}

TEST(WorkEstimate, AttributesThatAreTexts) {
  Attributes attributes;
  attributes.set("equation", std::string("bij,bjk->bik"));
  EXPECT_EQ(flops_of({"Einsum", {}, {{2, 5, 7}, {2, 7, 3}}, {2, 5, 3}, 0}, attributes), 2. * 30 * 7);
  attributes.set("program", std::string("input f32 0; const f32 0x1p-1; mul f32 0 1; exp f32 2; output 3"));
  EXPECT_EQ(flops_of({"fovea::pointwise", {}, {{2, 8}}, {2, 8}, 0}, attributes), 32);
  for (const auto& [mode, flops] : {std::pair("nearest", 0.), {"linear", 8. * 64}, {"cubic", 16. * 64}}) {
    attributes.set("mode", std::string(mode));
    EXPECT_EQ(flops_of({"Resize", {}, {{1, 1, 4, 4}, kMissing, {4}}, {1, 1, 8, 8}, 0}, attributes), flops) << mode;
  }
  attributes.set("kernel_shape", std::vector<std::int64_t>{2, 3});
  EXPECT_EQ(flops_of({"AveragePool", {}, {{1, 4, 6, 6}}, {1, 4, 5, 4}, 0}, attributes), 80 * 6);
}

TEST(WorkEstimate, BytesAreReadAndWrittenOnce) {
  const TensorDesc inputs[] = {TensorDesc::dense(DataType::f32, {2, 8}), TensorDesc(), TensorDesc::dense(DataType::f16, {8})};
  const TensorDesc output = TensorDesc::dense(DataType::f16, {2, 8});
  EXPECT_EQ(estimate_work("Add", {}, inputs, {&output, 1}).bytes, 64 + 16 + 32);
}

}  // namespace
}  // namespace fovea
