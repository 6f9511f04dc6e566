// SPDX-License-Identifier: Apache-2.0
// Tuned normalisations against the references: odd extents, one element, statistics as outputs, means far from zero.
#include <cmath>

#include "support/kernel_test.h"

namespace fovea {
namespace {

using namespace testing;

KernelCase row_norm(const char* op, const Shape& x, const Shape& parameters, bool bias, double low = -2, double high = 3) {
  KernelCase test{.op = op, .attributes = attributes({{"epsilon", 1e-6}, {"axis", -parameters.rank()}})};
  test.inputs = {random(DataType::f32, x, low, high), random(DataType::f32, parameters, -1, 1, 2)};
  if (bias) test.inputs.push_back(random(DataType::f32, parameters, -1, 1, 3));
  return test;
}

TEST(NormCpu, LayerAndRms) {
  for (const char* op : {"LayerNormalization", "RMSNormalization"}) {
    for (std::int64_t n : {1, 2, 7, 15, 16, 17, 33, 64, 197, 256, 768, 4096, 4097, 9000}) {
      for (const bool bias : {false, true}) {
        if (bias && op[0] == 'R') continue;
        const KernelCase test = row_norm(op, {3, 5, n}, {n}, bias);
        EXPECT_TRUE(agrees(test, "norm_rows")) << op << " of " << n << (bias ? " with bias" : "");
        EXPECT_TRUE(same_for_any_threads(test, "norm_rows")) << op << " of " << n;
      }
    }
  }
}

TEST(NormCpu, SeveralAxes) { EXPECT_TRUE(agrees(row_norm("LayerNormalization", {4, 3, 5, 7}, {5, 7}, true), "norm_rows")); }

TEST(NormCpu, OneNumberAsScaleAndBias) {
  KernelCase test = row_norm("LayerNormalization", {9, 35}, {35}, true);
  test.inputs[1] = scalar(0.5);
  EXPECT_TRUE(agrees(test, "norm_rows"));
  test.inputs[2] = tensor<float>({1}, {3});
  EXPECT_TRUE(agrees(test, "norm_rows"));
  test.inputs.pop_back();
  EXPECT_TRUE(agrees(test, "norm_rows"));
}

TEST(NormCpu, StatisticsAsOutputs) {
  KernelCase test = row_norm("LayerNormalization", {4, 3, 50}, {50}, true);
  for (int outputs : {2, 3}) {
    test.num_outputs = outputs;
    EXPECT_TRUE(agrees(test, "norm_rows")) << outputs;
  }
  test.attributes.set("stash_type", std::int64_t{16});
  EXPECT_NE(refusal(test, "norm_rows").find("f32"), std::string::npos);
}

// Every input is near 1e4, spread by 1: sums of squares in f32 would leave nothing of the variance, and a mean rounded
// to f32 alone would shift the results by 5e-4.
TEST(NormCpu, LargeMeanSmallVariance) {
  for (std::int64_t n : {5, 64, 256, 5000}) {
    EXPECT_TRUE(agrees(row_norm("LayerNormalization", {6, n}, {n}, true, 9999, 10001), "norm_rows")) << n;
  }
}

TEST(NormCpu, ConstantRows) {
  KernelCase test = row_norm("LayerNormalization", {3, 40}, {40}, true);
  for (float& x : test.inputs[0].values<float>()) x = 123.456f;
  EXPECT_TRUE(agrees(test, "norm_rows"));
}

KernelCase channel_norm(const Shape& x, int groups, Layout layout, double low = -2, double high = 3) {
  KernelCase test{.op = groups > 0 ? "GroupNormalization" : "InstanceNormalization", .attributes = attributes({{"epsilon", 1e-6}}), .layout = layout};
  if (groups > 0) test.attributes.set("num_groups", std::int64_t{groups});
  test.inputs = {random(DataType::f32, x, low, high), random(DataType::f32, {x[1]}, -1, 1, 2), random(DataType::f32, {x[1]}, -1, 1, 3)};
  return test;
}

TEST(NormCpu, InstanceAndGroupBothLayouts) {
  for (Layout layout : {Layout::plain, Layout::nhwc}) {
    for (const Shape& x : {Shape{2, 6, 13, 9}, Shape{1, 30, 7, 7}, Shape{3, 2, 1, 1}, Shape{1, 24, 70, 71}, Shape{2, 4, 5}, Shape{1, 6, 3, 4, 5}, Shape{1, 2, 9001}, Shape{1, 320, 3, 3}}) {
      for (int groups : {0, 1, 2}) {
        const KernelCase test = channel_norm(x, groups, layout);
        EXPECT_TRUE(agrees(test, "channel_norm")) << x.to_string() << ", groups " << groups << " " << name(layout);
        EXPECT_TRUE(same_for_any_threads(test, "channel_norm")) << x.to_string() << ", groups " << groups << " " << name(layout);
      }
    }
  }
}

TEST(NormCpu, ChannelsLargeMeanSmallVariance) {
  for (Layout layout : {Layout::plain, Layout::nhwc}) {
    EXPECT_TRUE(agrees(channel_norm({1, 18, 60, 61}, 0, layout, 9999, 10001), "channel_norm")) << name(layout);
    EXPECT_TRUE(agrees(channel_norm({1, 18, 60, 61}, 3, layout, 9999, 10001), "channel_norm")) << name(layout);
  }
}

// A dark border in front of everything else: the first tile's mean is no guess at the mean of all.
TEST(NormCpu, FirstRowsUnlikeTheRest) {
  for (Layout layout : {Layout::plain, Layout::nhwc}) {
    KernelCase test = channel_norm({1, 16, 64, 64}, 0, layout);
    for (int c = 0; c < 16; ++c) std::fill_n(test.inputs[0].data<float>() + c * 64 * 64, 8 * 64, -1000.0f);
    EXPECT_TRUE(agrees(test, "channel_norm")) << name(layout);
  }
}

TEST(NormCpu, RefusesWhatDoesNotFit) {
  KernelCase test = channel_norm({1, 6, 4, 4}, 2, Layout::plain);
  test.inputs[0] = random(DataType::f64, {1, 6, 4, 4});
  EXPECT_NE(refusal(test, "channel_norm").find("f32"), std::string::npos);
}

}  // namespace
}  // namespace fovea
