// SPDX-License-Identifier: Apache-2.0
// The tuned Attention against the reference: tiles and what is left of them, masks, shared heads, hidden rows.
#include <hwy/targets.h>

#include <limits>

#include "support/kernel_test.h"

namespace fovea {
namespace {

using namespace testing;

constexpr float kMinusInfinity = -std::numeric_limits<float>::infinity();

KernelCase attention_case(const Shape& q, const Shape& k, const Shape& v, Attributes attributes = {}) {
  KernelCase test{.op = "Attention", .attributes = std::move(attributes)};
  test.inputs = {random(DataType::f32, q, -2, 2), random(DataType::f32, k, -2, 2, 2), random(DataType::f32, v, -1, 1, 3)};
  return test;
}

TEST(AttentionCpu, TilesAndWhatIsLeft) {
  for (const std::int64_t queries : {1, 7, 48, 49, 101}) {
    for (const std::int64_t keys : {1, 5, 16, 255, 256, 257, 600}) {
      for (const std::int64_t width : {1, 32, 37}) {
        EXPECT_TRUE(agrees(attention_case({1, 3, queries, width}, {1, 3, keys, width}, {1, 3, keys, 32}))) << queries << " " << keys << " " << width;
        EXPECT_TRUE(agrees(attention_case({2, 1, queries, width}, {2, 1, keys, width}, {2, 1, keys, 19}))) << queries << " " << keys << " " << width << " to 19";
      }
    }
  }
}

TEST(AttentionCpu, PackedAndSharedHeads) {
  EXPECT_TRUE(agrees(attention_case({2, 50, 6 * 16}, {2, 70, 2 * 16}, {2, 70, 2 * 8}, attributes({{"q_num_heads", 6}, {"kv_num_heads", 2}, {"scale", 0.3}}))));
  EXPECT_TRUE(agrees(attention_case({2, 6, 50, 16}, {2, 3, 70, 16}, {2, 3, 70, 8})));
}

TEST(AttentionCpu, Masks) {
  for (const Shape& mask : {Shape{50, 300}, Shape{1, 300}, Shape{2, 1, 50, 300}, Shape{2, 4, 50, 300}, Shape{4, 1, 300}, Shape{}}) {
    KernelCase test = attention_case({2, 4, 50, 16}, {2, 4, 300, 16}, {2, 4, 300, 16});
    Tensor addends = random(DataType::f32, mask, -3, 3, 4);
    // Hides some keys everywhere, all of the first tile in one row, and everything in another.
    if (mask.rank() > 0) {
      for (std::int64_t i = 0; i < addends.elements(); i += 3) addends.data<float>()[i] = kMinusInfinity;
      for (std::int64_t j = 0; j < 270 && mask[mask.rank() - 2] == 50; ++j) addends.data<float>()[300 * 2 + j] = kMinusInfinity;
      for (std::int64_t j = 0; j < 300 && mask[mask.rank() - 2] == 50; ++j) addends.data<float>()[300 * 3 + j] = kMinusInfinity;
    }
    test.inputs.push_back(addends);
    EXPECT_TRUE(agrees(test)) << mask.to_string();
  }
}

/// Scores rise (or fall) from tile to tile by several times what a row's shift stays behind.
TEST(AttentionCpu, TilesOfFarLargerScores) {
  for (const float step : {0.06f, -0.06f}) {
    KernelCase test = attention_case({1, 2, 50, 16}, {1, 2, 400, 16}, {1, 2, 400, 8}, attributes({{"scale", 1.0}}));
    float *const q = test.inputs[0].data<float>(), *const k = test.inputs[1].data<float>();
    for (std::int64_t i = 0; i < test.inputs[0].elements(); ++i) q[i] = i % 16 == 0 ? 1 : q[i] / 16;
    for (std::int64_t i = 0; i < test.inputs[1].elements(); i += 16) k[i] = step * static_cast<float>(i / 16 % 400);
    EXPECT_TRUE(agrees(test)) << step;
  }
}

TEST(AttentionCpu, EveryInstructionSetAgrees) {
  for (const std::int64_t target : hwy::SupportedAndGeneratedTargets()) {
    hwy::SetSupportedTargetsForTest(target);
    hwy::GetChosenTarget().Update(hwy::SupportedTargets());
    EXPECT_TRUE(agrees(attention_case({1, 2, 59, 24}, {1, 2, 205, 24}, {1, 2, 205, 36}))) << hwy::TargetName(target);
  }
  hwy::SetSupportedTargetsForTest(0);
  hwy::GetChosenTarget().Update(hwy::SupportedTargets());
}

TEST(AttentionCpu, SaysWhyNot) {
  KernelCase test = attention_case({1, 1, 4, 8}, {1, 1, 4, 8}, {1, 1, 4, 8}, attributes({{"is_causal", 1}}));
  EXPECT_EQ(refusal(test, "attention_tiles"), "neither causal nor capped scores");
  test.attributes = {};
  test.inputs.push_back(tensor<bool>({1, 4}, {1, 0, 1, 1}));
  EXPECT_EQ(refusal(test, "attention_tiles"), "a mask of addends");
  test.inputs[3] = random(DataType::f32, {4, 1});
  EXPECT_EQ(refusal(test, "attention_tiles"), "a mask as long as the keys");
}

}  // namespace
}  // namespace fovea
