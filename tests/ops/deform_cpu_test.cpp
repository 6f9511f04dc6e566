// SPDX-License-Identifier: Apache-2.0
// Tuned deformable kernels against the references: real and odd shapes, every attribute, all storage types.
#include "backends/cpu/kit/simd_targets.h"

#include <hwy/targets.h>

#include <cstring>
#include <limits>

#include "support/kernel_test.h"

namespace fovea::testing {
namespace {

using Ints = std::vector<std::int64_t>;

/// Bytes of output 0 as `kernel` makes it with so many threads.
std::vector<std::uint8_t> bytes_with(const KernelCase& test, std::string_view kernel, int threads) {
  std::vector<TensorDesc> inputs;
  std::vector<const void*> addresses;
  std::vector<Tensor> constants(test.inputs.size());
  std::vector<Datum> data;
  for (const Tensor& input : test.inputs) {
    inputs.push_back(input.defined() ? TensorDesc::dense(input.type(), input.shape()) : TensorDesc());
    addresses.push_back(input.defined() ? input.raw() : nullptr);
    data.emplace_back(input);
  }
  for (const int i : test.constants) constants[static_cast<std::size_t>(i)] = test.inputs[static_cast<std::size_t>(i)];
  const Tensor expected = run_op1(test.op, data, test.attributes);
  const std::vector<TensorDesc> outputs = {TensorDesc::dense(expected.type(), expected.shape())};
  const auto prepared = find_kernel("cpu", test.op, kernel)->prepare({test.op, test.attributes, inputs, outputs, constants, threads}).value();
  Tensor scratch = Tensor::allocate(DataType::u8, {static_cast<std::int64_t>(prepared->scratch_bytes()) + 64}).value();
  Tensor y = Tensor::allocate(expected.type(), expected.shape()).value();
  const auto misaligned = reinterpret_cast<std::uintptr_t>(scratch.raw()) % 64;
  void* const output = y.raw();
  EXPECT_TRUE(prepared->run({addresses.data(), &output, static_cast<std::uint8_t*>(scratch.raw()) + (64 - misaligned) % 64}).ok());
  const auto* const bytes = static_cast<const std::uint8_t*>(y.raw());
  return {bytes, bytes + y.bytes()};
}

// --- DCNv4

struct Dcnv4Case {
  std::int64_t batch, h, w, group, channels;
  Attributes attributes = {};
  std::int64_t points = 9, oh = 0, ow = 0;  ///< 0: as the input
  std::int64_t padding = 4;
};

Attributes with_groups(const Dcnv4Case& test) {
  Attributes result = test.attributes;
  result.set("group", test.group);
  result.set("group_channels", test.channels);
  return result;
}

KernelCase dcnv4_case(const Dcnv4Case& test, DataType type, bool unsliced) {
  const std::int64_t oh = test.oh ? test.oh : test.h, ow = test.ow ? test.ow : test.w;
  const std::int64_t numbers = 3 * test.points * test.group + test.padding;
  KernelCase result;
  result.attributes = with_groups(test);
  if (unsliced) {
    result.op = "custom_op::DCNv4FuseOffset_Plugin";
    result.inputs = {random(type, {test.batch, test.h, test.w, test.group * test.channels + numbers}, -2, 2)};
  } else {
    result.op = "custom_op::DCNv4_Plugin";
    result.inputs = {random(type, {test.batch, test.h, test.w, test.group * test.channels}), random(type, {test.batch, oh, ow, numbers}, -2, 2, 2)};
  }
  return result;
}

const Dcnv4Case kDcnv4Cases[] = {
    {1, 56, 56, 4, 16},  // the stages of FlashInternImage-T
    {1, 28, 28, 8, 16},
    {1, 14, 14, 16, 16},
    {3, 7, 7, 32, 16},
    {1, 9, 5, 2, 32},
    {2, 6, 7, 1, 64},
    {1, 4, 4, 2, 80},
    {3, 5, 3, 3, 1, {}, 9, 0, 0, 0},
    {1, 3, 8, 2, 5},
    {1, 6, 6, 2, 19, {}, 9, 0, 0, 0},
    {1, 1, 1, 1, 8},
    {2, 9, 11, 2, 16, attributes({{"remove_center", 1}}), 8},
    {1, 9, 10, 2, 8, attributes({{"sh", 2}, {"sw", 3}}), 9, 5, 4},
    {1, 9, 10, 2, 8, attributes({{"dh", 2}, {"dw", 3}, {"ph", 2}, {"pw", 3}, {"offscale", 0.75}})},
    {1, 8, 8, 2, 16, attributes({{"kh", 5}, {"kw", 5}, {"ph", 2}, {"pw", 2}, {"offscale", 2.0}}), 25},
    {1, 13, 12, 2, 8, attributes({{"kh", 11}, {"kw", 11}, {"ph", 5}, {"pw", 5}}), 121},
    {1, 6, 7, 2, 4, attributes({{"kh", 1}, {"kw", 2}, {"ph", 0}, {"pw", 0}}), 2, 6, 6},
    {1, 6, 7, 2, 16, attributes({{"kh", 3}, {"kw", 1}, {"pw", 0}, {"softmax", 1}}), 3},
    {2, 7, 7, 2, 16, attributes({{"softmax", 1}, {"remove_center", 1}}), 8},
};

TEST(Dcnv4Kernel, AgreesWithTheReference) {
  for (const DataType type : {DataType::f32, DataType::f16, DataType::bf16}) {
    for (const Dcnv4Case& test : kDcnv4Cases) {
      const std::string text = str_cat(name(type), " ", test.h, "x", test.w, " ", test.group, "x", test.channels);
      EXPECT_TRUE(agrees(dcnv4_case(test, type, false), "dcnv4_taps")) << text;
      if (test.oh != 0 || test.h > 14) continue;
      EXPECT_TRUE(agrees(dcnv4_case(test, type, true), "dcnv4_taps")) << text << ", not sliced";
    }
  }
}

TEST(Dcnv4Kernel, AnyNumberOfThreadsGivesTheSameBits) {
  for (const bool unsliced : {false, true}) {
    KernelCase test = dcnv4_case({3, 14, 14, 4, 16}, DataType::f32, unsliced);
    const std::vector<std::uint8_t> one = bytes_with(test, "dcnv4_taps", 1);
    for (const int threads : {2, 3, 5}) EXPECT_EQ(bytes_with(test, "dcnv4_taps", threads), one) << threads << " threads";
  }
}

TEST(Dcnv4Kernel, BordersAndNotFiniteNumbers) {
  KernelCase test = dcnv4_case({1, 5, 5, 2, 16}, DataType::f32, false);
  float* const offset = test.inputs[1].data<float>();
  const float special[] = {0, -1, 1, -2, std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(), -1e30f, 5, -5, 0.5f};
  const std::int64_t row = test.inputs[1].dim(3);
  for (std::int64_t q = 0; q < 25; ++q) {
    for (std::int64_t g = 0; g < 2; ++g) {
      for (std::int64_t t = 0; t < 18; ++t) offset[q * row + g * 27 + t] = special[static_cast<std::size_t>((q * 7 + g * 3 + t) % 10)];
    }
  }
  EXPECT_TRUE(agrees(test, "dcnv4_taps"));
}

TEST(Dcnv4Kernel, ElementsOfWeightZeroDoNotCount) {
  KernelCase test = dcnv4_case({1, 4, 4, 1, 16}, DataType::f32, false);
  float* const offset = test.inputs[1].data<float>();
  const std::int64_t row = test.inputs[1].dim(3);
  for (std::int64_t q = 0; q < 16; ++q) std::fill_n(offset + q * row, 18, q == 5 ? 0.0f : 100.0f);  // only pixel (1, 1) samples, rows and columns 0..2
  for (std::int64_t c = 0; c < 16; ++c) test.inputs[0].data<float>()[15 * 16 + c] = std::numeric_limits<float>::infinity();
  EXPECT_TRUE(agrees(test, "dcnv4_taps"));
}

TEST(Dcnv4Kernel, RefusesWhatItCannotRead) {
  KernelCase test = dcnv4_case({1, 4, 4, 1, 16}, DataType::f32, false);
  test.layout = Layout::nhwc;
  EXPECT_NE(refusal(test, "dcnv4_taps"), "");
}

// --- DeformConv

struct ConvCase {
  std::int64_t batch, ic, h, w, oc, kh, kw;
  std::int64_t group = 1, offset_group = 1;
  Ints strides = {1, 1}, pads = {1, 1, 1, 1}, dilations = {1, 1};
  bool mask = true, bias = true;
};

KernelCase conv_case(const ConvCase& test) {
  KernelCase result;
  result.op = "DeformConv";
  result.attributes = attributes({{"group", test.group}, {"offset_group", test.offset_group}, {"strides", test.strides}, {"pads", test.pads}, {"dilations", test.dilations}});
  const auto extent = [&](std::size_t axis, std::int64_t input, std::int64_t kernel) {
    return (input + test.pads[axis] + test.pads[axis + 2] - test.dilations[axis] * (kernel - 1) - 1) / test.strides[axis] + 1;
  };
  const std::int64_t oh = extent(0, test.h, test.kh), ow = extent(1, test.w, test.kw), taps = test.offset_group * test.kh * test.kw;
  result.inputs = {random(DataType::f32, {test.batch, test.ic, test.h, test.w}), random(DataType::f32, {test.oc, test.ic / test.group, test.kh, test.kw}, -1, 1, 2),
                   random(DataType::f32, {test.batch, 2 * taps, oh, ow}, -2.5, 2.5, 3), test.bias ? random(DataType::f32, {test.oc}, -1, 1, 4) : Tensor(),
                   test.mask ? random(DataType::f32, {test.batch, taps, oh, ow}, 0, 1, 5) : Tensor()};
  result.constants = {1, 3};
  if (!test.bias) result.constants = {1};
  return result;
}

const ConvCase kConvCases[] = {
    {1, 64, 25, 38, 64, 3, 3},
    {2, 32, 13, 10, 48, 3, 3, 1, 4},
    {1, 16, 7, 7, 130, 3, 3, 1, 1, {1, 1}, {1, 1, 1, 1}, {1, 1}, false, false},
    {3, 6, 5, 9, 10, 3, 2, 2, 3, {2, 1}, {1, 0, 0, 2}, {1, 2}},
    {1, 12, 9, 8, 6, 1, 1, 3, 2, {1, 1}, {0, 0, 0, 0}, {1, 1}, true, false},
    {2, 12, 8, 9, 12, 3, 3, 12, 12, {1, 2}, {2, 2, 2, 2}, {2, 2}, false},
    {1, 5, 6, 7, 3, 5, 4, 1, 5, {1, 1}, {2, 1, 2, 2}, {1, 1}},
    {1, 20, 40, 3, 70, 2, 3, 1, 2, {3, 1}, {0, 1, 0, 1}, {1, 1}},
    {1, 1, 1, 1, 1, 1, 1, 1, 1, {1, 1}, {0, 0, 0, 0}, {1, 1}},
};

TEST(DeformConvKernel, AgreesWithTheReference) {
  for (const ConvCase& shape : kConvCases) {
    for (const Layout layout : {Layout::plain, Layout::nhwc}) {
      KernelCase test = conv_case(shape);
      test.layout = layout;
      const std::string text = str_cat(name(layout), " ", shape.ic, "x", shape.h, "x", shape.w, " to ", shape.oc);
      EXPECT_TRUE(agrees(test, "deform_conv_tiles")) << text;
      test.sliced_output = true;
      test.sliced_inputs = {0, 2};
      EXPECT_TRUE(agrees(test, "deform_conv_tiles")) << text << ", slices";
      test.constants.clear();
      test.input_layouts = {layout, Layout::plain, Layout::plain, Layout::plain, layout};
      EXPECT_TRUE(agrees(test, "deform_conv_tiles")) << text << ", computed weights";
    }
  }
}

TEST(DeformConvKernel, BordersAndNotFiniteOffsets) {
  for (const Layout layout : {Layout::plain, Layout::nhwc}) {
    KernelCase test = conv_case({1, 18, 6, 5, 7, 3, 3});
    test.layout = layout;
    const float special[] = {0, -1, 1, -2, std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(), -1e30f, 4e9f, 5, -5, 0.5f};
    for (std::int64_t i = 0; i < test.inputs[2].elements(); ++i) test.inputs[2].data<float>()[i] = special[static_cast<std::size_t>(i * 7 % 11)];
    EXPECT_TRUE(agrees(test, "deform_conv_tiles")) << name(layout);
  }
}

TEST(DeformConvKernel, ElementsOfWeightZeroDoNotCount) {
  for (const Layout layout : {Layout::plain, Layout::nhwc}) {
    KernelCase test = conv_case({1, 18, 4, 4, 7, 1, 1, 1, 1, {1, 1}, {0, 0, 0, 0}});
    test.layout = layout;
    std::fill_n(test.inputs[2].data<float>(), test.inputs[2].elements(), 0.0f);
    test.inputs[0].data<float>()[5] = std::numeric_limits<float>::infinity();
    test.inputs[2].data<float>()[5] = 30;  // the only pixel that would read it looks elsewhere
    EXPECT_TRUE(agrees(test, "deform_conv_tiles")) << name(layout);
  }
}

TEST(DeformConvKernel, AnyNumberOfThreadsGivesTheSameBits) {
  const KernelCase test = conv_case({3, 32, 17, 9, 40, 3, 3, 2, 4});
  const std::vector<std::uint8_t> one = bytes_with(test, "deform_conv_tiles", 1);
  for (const int threads : {2, 3, 5}) EXPECT_EQ(bytes_with(test, "deform_conv_tiles", threads), one) << threads << " threads";
}

// --- instruction sets

TEST(DeformKernels, EveryInstructionSetAgrees) {
  for (const std::int64_t target : hwy::SupportedAndGeneratedTargets()) {
    hwy::SetSupportedTargetsForTest(target);
    hwy::GetChosenTarget().Update(hwy::SupportedTargets());
    for (const DataType type : {DataType::f32, DataType::f16, DataType::bf16}) {
      EXPECT_TRUE(agrees(dcnv4_case({2, 6, 7, 2, 19, attributes({{"softmax", 1}})}, type, false), "dcnv4_taps")) << hwy::TargetName(target) << " " << name(type);
      EXPECT_TRUE(agrees(dcnv4_case({1, 6, 7, 2, 80}, type, true), "dcnv4_taps")) << hwy::TargetName(target) << " " << name(type);
    }
    for (const Layout layout : {Layout::plain, Layout::nhwc}) {
      KernelCase test = conv_case({2, 32, 13, 10, 75, 3, 3, 1, 4});
      test.layout = layout;
      EXPECT_TRUE(agrees(test, "deform_conv_tiles")) << hwy::TargetName(target) << " " << name(layout);
    }
  }
  hwy::SetSupportedTargetsForTest(0);
  hwy::GetChosenTarget().Update(hwy::SupportedTargets());
}

}  // namespace
}  // namespace fovea::testing
