// SPDX-License-Identifier: Apache-2.0
// Convolution kernels against the reference: both layouts, residuals, threads.
#include <hwy/targets.h>

#include "conv_cpu_cases.h"
#include "support/kernel_test.h"

namespace fovea {
namespace {

using namespace testing;

KernelCase kernel_case(const ConvCase& c, const char* op, Layout layout) {
  const bool transposed = std::string_view(op) == "ConvTranspose";
  KernelCase test;
  test.op = op;
  test.layout = layout;
  const Tensor w = transposed ? random(DataType::f32, {c.ic, c.oc / c.group, c.kernel, c.kernel}, -1, 1, 2)
                              : random(DataType::f32, {c.oc, c.ic / c.group, c.kernel, c.kernel}, -1, 1, 2);
  test.inputs = {random(DataType::f32, {c.n, c.ic, c.h, c.w}), w};
  if (c.bias) test.inputs.push_back(random(DataType::f32, {c.oc}, -1, 1, 3));
  test.constants = {1, 2};
  test.attributes = attributes({{"strides", std::vector<std::int64_t>{c.stride, c.stride}}, {"group", c.group},
                                {"pads", std::vector<std::int64_t>{c.pad, c.pad, c.pad, c.pad}},
                                {"dilations", std::vector<std::int64_t>{c.dilation, c.dilation}}});
  if (std::string_view(op) == "fovea::conv") {
    test.attributes.set("activation", std::string(c.activation));
    if (std::string_view(c.activation) == "clip") test.attributes.set("alpha", 0.0), test.attributes.set("beta", 6.0);
    if (std::string_view(c.residual) != "none") {
      test.attributes.set("residual", std::string(c.residual));
      test.inputs.resize(4);
      test.inputs[3] = random(DataType::f32, {c.n, c.oc, c.h, c.w}, -1, 1, 4);
    }
  }
  return test;
}

class ConvCpu : public ::testing::TestWithParam<ConvCase> {};

TEST_P(ConvCpu, AgreesWithReference) {
  for (Layout layout : {Layout::nhwc, Layout::plain}) {
    for (const char* op : {"fovea::conv", "Conv", "ConvTranspose"}) {
      KernelCase test = kernel_case(GetParam(), op, layout);
      EXPECT_TRUE(agrees(test)) << op << " " << name(layout);
      test.threads = 1;
      EXPECT_TRUE(agrees(test)) << op << " " << name(layout) << ", one thread";
    }
  }
}

TEST_P(ConvCpu, WeightsThatAreNoConstant) {
  KernelCase test = kernel_case(GetParam(), "fovea::conv", Layout::nhwc);
  test.constants = {};
  test.input_layouts = {Layout::nhwc, Layout::plain, Layout::plain, Layout::nhwc};
  EXPECT_TRUE(agrees(test));
}

/// Odd and even extents, borders of every width, blocks of tiles that are not full, channels that fill no panel.
TEST(WinogradConv, AgreesWithReference) {
  struct {
    Shape x;
    std::int64_t oc;
    std::vector<std::int64_t> pads;
    const char *activation, *residual;
  } cases[] = {
      {{1, 32, 8, 8}, 32, {1, 1, 1, 1}, "none", "none"},     {{2, 48, 9, 7}, 80, {1, 1, 1, 1}, "silu", "none"},
      {{1, 64, 21, 23}, 64, {1, 1, 1, 1}, "silu", "after"},  {{1, 32, 5, 12}, 144, {0, 0, 0, 0}, "relu", "before"},
      {{1, 128, 6, 3}, 32, {2, 0, 1, 3}, "clip", "none"},    {{3, 32, 1, 1}, 32, {1, 1, 1, 1}, "leaky_relu", "none"},
      {{1, 256, 10, 10}, 64, {1, 1, 1, 1}, "none", "none"},  {{1, 32, 30, 31}, 48, {1, 1, 1, 1}, "none", "after"},
  };
  for (const auto& c : cases) {
    KernelCase test{.op = "fovea::conv", .attributes = attributes({{"pads", c.pads}, {"activation", c.activation}, {"residual", c.residual}})};
    if (std::string_view(c.activation) == "clip") test.attributes.set("alpha", 0.0), test.attributes.set("beta", 6.0);
    test.inputs = {random(DataType::f32, c.x), random(DataType::f32, {c.oc, c.x[1], 3, 3}, -1, 1, 2), random(DataType::f32, {c.oc}, -1, 1, 3)};
    if (std::string_view(c.residual) != "none") {
      test.inputs.push_back(random(DataType::f32, {c.x[0], c.oc, c.x[2] + c.pads[0] + c.pads[2] - 2, c.x[3] + c.pads[1] + c.pads[3] - 2}, -1, 1, 4));
    }
    test.constants = {1, 2};
    test.layout = Layout::nhwc;
    EXPECT_TRUE(agrees(test, "winograd_2x2")) << c.x.to_string() << " to " << c.oc;
    EXPECT_TRUE(same_for_any_threads(test, "winograd_2x2")) << c.x.to_string() << " to " << c.oc;
  }
}

TEST(WinogradConv, EveryInstructionSetAgrees) {
  for (const std::int64_t target : hwy::SupportedAndGeneratedTargets()) {
    hwy::SetSupportedTargetsForTest(target);
    hwy::GetChosenTarget().Update(hwy::SupportedTargets());
    KernelCase test{.op = "fovea::conv", .attributes = attributes({{"pads", std::vector<std::int64_t>{1, 1, 1, 1}}, {"activation", "silu"}})};
    test.inputs = {random(DataType::f32, {1, 48, 9, 14}), random(DataType::f32, {80, 48, 3, 3}, -1, 1, 2), random(DataType::f32, {80}, -1, 1, 3)};
    test.constants = {1, 2};
    test.layout = Layout::nhwc;
    EXPECT_TRUE(agrees(test, "winograd_2x2")) << hwy::TargetName(target);
  }
  hwy::SetSupportedTargetsForTest(0);
  hwy::GetChosenTarget().Update(hwy::SupportedTargets());
}

TEST(WinogradConv, SaysWhyNot) {
  KernelCase test{.op = "Conv"};
  test.inputs = {random(DataType::f32, {1, 32, 8, 8}), random(DataType::f32, {32, 32, 3, 3})};
  test.layout = Layout::nhwc;
  test.input_layouts = {Layout::nhwc, Layout::plain};
  EXPECT_EQ(refusal(test, "winograd_2x2"), "constant weights");
  test.constants = {1};
  EXPECT_EQ(refusal(test, "winograd_2x2"), "");
  test.attributes = attributes({{"strides", std::vector<std::int64_t>{2, 1}}});
  EXPECT_EQ(refusal(test, "winograd_2x2"), "a window of 3 x 3 with stride and dilation 1");
  test.attributes = {};
  test.inputs[1] = random(DataType::f32, {24, 32, 3, 3});
  EXPECT_EQ(refusal(test, "winograd_2x2"), "at least 32 channels, in multiples of 16");
}

TEST(ConvTransposeCpu, TilesSideBySide) {
  for (const Shape& kernel : {Shape{24, 7, 2, 2}, Shape{24, 16, 3, 2}, Shape{24, 1, 2, 2}}) {
    KernelCase test{.op = "ConvTranspose", .attributes = attributes({{"strides", std::vector<std::int64_t>{kernel[2], kernel[3]}}})};
    test.inputs = {random(DataType::f32, {2, 24, 9, 11}), random(DataType::f32, kernel, -1, 1, 2), random(DataType::f32, {kernel[1]}, -1, 1, 3)};
    test.constants = {1, 2};
    test.layout = Layout::nhwc;
    EXPECT_TRUE(agrees(test, "tiled_conv_transpose")) << kernel.to_string();
    test.sliced_output = true;
    EXPECT_TRUE(agrees(test, "tiled_conv_transpose")) << kernel.to_string() << " into a slice";
    test.inputs.pop_back();
    EXPECT_TRUE(agrees(test, "tiled_conv_transpose")) << kernel.to_string() << " without bias";
  }
}

INSTANTIATE_TEST_SUITE_P(Cases, ConvCpu, ::testing::ValuesIn(kConvCases), [](const auto& instance) { return instance.param.name; });

}  // namespace
}  // namespace fovea
