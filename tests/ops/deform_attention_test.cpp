// SPDX-License-Identifier: Apache-2.0
// Multi-scale deformable attention: values worked out by hand, shapes, refusals, and the tuned kernel against the
// reference.
#include <cmath>
#include <limits>

#include "support/kernel_test.h"

namespace fovea {
namespace {

using namespace testing;

constexpr const char *kMmcv = "mmdeploy::MMCVMultiScaleDeformableAttention", *kFlash = "custom_op::FlashDeformAttn";

// --- reference

std::vector<Datum> two_levels() {
  return {tensor<float>({1, 5, 1, 1}, {1, 2, 3, 4, 10}), tensor<std::int64_t>({2, 2}, {2, 2, 1, 1}), tensor<std::int64_t>({2}, {0, 4}),
          tensor<float>({1, 1, 1, 2, 2, 2}, {.5, .5, .25, .25, .5, .5, .9, .5}), tensor<float>({1, 1, 1, 2, 2}, {.4, .1, .3, .2})};
}

TEST(DeformAttention, TwoLevelsByHand) { EXPECT_TRUE(close(run_op1(kMmcv, two_levels()), tensor<float>({1, 1, 1}, {5.3}), {1e-6, 1e-6})); }

TEST(DeformAttention, IntegersOf32BitsAndHalfPrecision) {
  std::vector<Datum> inputs = two_levels();
  inputs[1] = tensor<std::int32_t>({2, 2}, {2, 2, 1, 1});
  inputs[2] = tensor<std::int32_t>({2}, {0, 4});
  EXPECT_TRUE(close(run_op1(kMmcv, inputs), tensor<float>({1, 1, 1}, {5.3}), {1e-6, 1e-6}));
  inputs[0] = tensor<Half>({1, 5, 1, 1}, {1, 2, 3, 4, 10});
  EXPECT_TRUE(close(run_op1(kMmcv, inputs), tensor<Half>({1, 1, 1}, {5.3}), {1e-3, 1e-3}));
}

TEST(DeformAttention, SamplesOutsideCountForNothing) {
  std::vector<Datum> inputs = two_levels();
  inputs[3] = tensor<float>({1, 1, 1, 2, 2, 2}, {-.25, .25, kNaN, .5, kInf, .5, .5, -kInf});  // x = -1 exactly, then nothing finite
  inputs[4] = tensor<float>({1, 1, 1, 2, 2}, {1, kNaN, kNaN, kNaN});
  EXPECT_TRUE(same(run_op1(kMmcv, inputs), tensor<float>({1, 1, 1}, {0})));
  inputs[3] = tensor<float>({1, 1, 1, 2, 2, 2}, {1.25, .25, -.125, .25, .25, 1.125, 1.4, .5});  // x = H exactly; half a pixel outside twice; 0.1 inside
  inputs[4] = tensor<float>({1, 1, 1, 2, 2}, {1, 1, 1, 1});
  EXPECT_TRUE(close(run_op1(kMmcv, inputs), tensor<float>({1, 1, 1}, {0 + .25 + 7.5 * .5 * .5 + 1}), {1, 3}));
}

TEST(DeformAttention, NeighboursOfWeightZeroDoNotCount) {
  std::vector<Datum> inputs = two_levels();
  inputs[0] = tensor<float>({1, 5, 1, 1}, {1, kInf, kNaN, 4, 10});
  inputs[3] = tensor<float>({1, 1, 1, 2, 2, 2}, {.25, .25, .75, .75, .5, .5, 9, 9});  // centres of elements 0 and 3
  EXPECT_TRUE(close(run_op1(kMmcv, inputs), tensor<float>({1, 1, 1}, {.4 * 1 + .1 * 4 + .3 * 10}), {1e-6, 1e-6}));
}

std::vector<Datum> flash_inputs(std::initializer_list<double> logits) {
  Tensor packed = Tensor::allocate(DataType::f32, {1, 1, 1, 24}).value();
  const double locations[] = {.5, .5, 0, 0, 1, 1, .25, .75, .5, .5, .25, .5, .75, .5, 1.5, .5};
  for (int i = 0; i < 16; ++i) packed.data<float>()[i] = static_cast<float>(locations[i]);
  int at = 16;
  for (const double logit : logits) packed.data<float>()[at++] = static_cast<float>(logit);
  return {tensor<float>({1, 8, 1, 1}, {1, 2, 3, 4, 5, 6, 7, 8}), tensor<std::int64_t>({2, 2}, {2, 3, 1, 2}), tensor<std::int64_t>({2}, {0, 6}), packed};
}

TEST(FlashDeformAttention, SoftmaxIncludesSkippedSamples) {
  const Attributes four = attributes({{"points", 4}});
  const auto log = [](double x) { return std::log(x); };
  EXPECT_TRUE(close(run_op1(kFlash, flash_inputs({0, 0, 0, 0, 0, 0, 0, 0}), four), tensor<float>({1, 1, 1}, {4.0}), {1e-6, 1e-6}));
  EXPECT_TRUE(close(run_op1(kFlash, flash_inputs({log(1), log(2), log(3), log(4), log(5), log(6), log(7), log(4)}), four),
                    tensor<float>({1, 1, 1}, {5.03125}), {1e-6, 1e-6}));
}

TEST(FlashDeformAttention, WithoutSoftmaxTheLastThirdAreWeights) {
  const Attributes raw = attributes({{"points", 4}, {"softmax", 0}});
  EXPECT_TRUE(close(run_op1(kFlash, flash_inputs({1, 0, 0, 0, 0, 2, 0, kNaN}), raw), tensor<float>({1, 1, 1}, {3.5 + 14}), {1e-6, 1e-6}));
}

TEST(DeformAttention, ShapesAreForetold) {
  const auto f32 = [](const char* shape) { return symbolic(DataType::f32, shape); };
  const auto i64 = [](const char* shape) { return symbolic(DataType::i64, shape); };
  EXPECT_EQ(infer_text(kMmcv, {f32("NxSx8x32"), i64("4x2"), i64("4"), f32("NxQx8x4x4x2"), f32("NxQx8x4x4")}), "f32 NxQx256");
  EXPECT_EQ(infer_text(kFlash, {f32("NxSx8x32"), i64("4x2"), i64("4"), f32("NxQx8x48")}, attributes({{"points", 4}})), "f32 NxQx256");
  EXPECT_EQ(infer_text(kFlash, {f32("?"), i64("?"), i64("?"), f32("NxQx8x48")}, attributes({{"points", 4}})), "f32 ?");
}

TEST(DeformAttention, RefusesWhatDoesNotFit) {
  const auto refused = [](int input, Datum other, const char* phrase) {
    std::vector<Datum> inputs = two_levels();
    inputs[static_cast<std::size_t>(input)] = std::move(other);
    return fails(run_op(kMmcv, inputs), ErrorCode::InvalidArgument, phrase);
  };
  constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
  EXPECT_TRUE(refused(1, tensor<std::int64_t, std::int64_t>({2, 2}, {2, 2, 2, 1}), "level_start_index: level 1 of 2x1 from row 4 on does not fit the 5 rows"));
  EXPECT_TRUE(refused(1, tensor<std::int64_t, std::int64_t>({2, 2}, {kMost, kMost, 1, 1}), "does not fit the 5 rows"));
  EXPECT_TRUE(refused(1, tensor<std::int64_t, std::int64_t>({2, 2}, {2, -2, 1, 1}), "spatial_shapes: level 0 is 2x-2"));
  EXPECT_TRUE(refused(1, tensor<std::int64_t>({2, 3}, {2, 2, 1, 1, 1, 1}), "spatial_shapes: expected extent 2 on axis 1"));
  EXPECT_TRUE(refused(1, tensor<float>({2, 2}, {2, 2, 1, 1}), "spatial_shapes: expected i32 or i64, found f32"));
  EXPECT_TRUE(refused(2, tensor<std::int64_t>({2}, {-1, 4}), "level_start_index: level 0"));
  EXPECT_TRUE(refused(2, tensor<std::int64_t, std::int64_t>({2}, {kMost, 4}), "level_start_index: level 0"));
  EXPECT_TRUE(refused(2, tensor<std::int64_t>({3}, {0, 4, 4}), "level_start_index: expected extent 2"));
  EXPECT_TRUE(refused(3, random(DataType::f32, {1, 1, 1, 2, 2, 3}), "sampling_locations: expected extent 2 on axis 5"));
  EXPECT_TRUE(refused(3, random(DataType::f32, {1, 1, 2, 2, 2, 2}), "one per head"));
  EXPECT_TRUE(refused(4, random(DataType::f32, {1, 1, 1, 2, 3}), "attention_weights: expected extent 2 on axis 4"));
  EXPECT_TRUE(fails(run_op(kFlash, flash_inputs({}), attributes({{"points", 3}})), ErrorCode::InvalidArgument, "sampling_loc_attn: expected extent 18 on axis 3"));
  EXPECT_TRUE(fails(run_op(kFlash, flash_inputs({}), attributes({{"points", 0}})), ErrorCode::InvalidModel, "points"));
  EXPECT_TRUE(fails(run_op(kFlash, flash_inputs({}), attributes({{"points", kMost}})), ErrorCode::InvalidArgument, "too many"));
}

// --- tuned kernel

struct Extents {
  std::int64_t batch, heads, width, queries, points;
};

/// Three levels in an order of their own, with a gap between them.
KernelCase attention_case(const Extents& e, DataType type, double spread = 0.7) {
  KernelCase test{.op = kMmcv};
  test.inputs = {random(type, {e.batch, 60, e.heads, e.width}), tensor<std::int64_t>({3, 2}, {5, 6, 3, 4, 1, 7}), tensor<std::int64_t>({3}, {12, 0, 45}),
                 random(type, {e.batch, e.queries, e.heads, 3, e.points, 2}, 0.5 - spread, 0.5 + spread, 2),
                 random(type, {e.batch, e.queries, e.heads, 3, e.points}, 0, 1, 3)};
  return test;
}

/// The same numbers in the other operator's form.
KernelCase packed(const KernelCase& from, bool softmax) {
  const Shape& locations = from.inputs[3].shape();
  const std::int64_t samples = locations[3] * locations[4];
  KernelCase test{.op = kFlash, .attributes = attributes({{"points", locations[4]}, {"softmax", softmax ? 1 : 0}})};
  Tensor both = Tensor::allocate(DataType::f32, {locations[0], locations[1], locations[2], 3 * samples}).value();
  for (std::int64_t i = 0; i < both.elements(); ++i) {
    const std::int64_t head = i / (3 * samples), k = i % (3 * samples);
    both.data<float>()[i] = static_cast<float>(k < 2 * samples ? element(from.inputs[3], head * 2 * samples + k) : element(from.inputs[4], head * samples + k - 2 * samples));
  }
  test.inputs = {from.inputs[0], from.inputs[1], from.inputs[2], both};
  return test;
}

TEST(DeformAttentionCpu, AgreesForAllWidths) {
  for (const std::int64_t width : {1, 2, 3, 4, 5, 7, 8, 11, 16, 17, 24, 32, 33, 64, 70}) {
    for (const DataType type : {DataType::f32, DataType::f16, DataType::bf16}) {
      KernelCase test = attention_case({2, 3, width, 5, 4}, type);
      EXPECT_TRUE(agrees(test)) << width << " " << name(type);
      test.sliced_inputs = {0, 3, 4};
      test.sliced_output = true;
      EXPECT_TRUE(agrees(test)) << width << " " << name(type) << " sliced";
      if (type != DataType::f32) continue;
      EXPECT_TRUE(agrees(packed(test, false))) << width << " packed";
      EXPECT_TRUE(agrees(packed(test, true))) << width << " softmax";
    }
  }
}

TEST(DeformAttentionCpu, AgreesForAllNumbersOfPointsAndQueries) {
  for (const std::int64_t points : {1, 2, 3, 4, 5, 6, 8, 16, 33}) {
    for (const std::int64_t queries : {1, 31, 33, 300}) {
      KernelCase test = attention_case({1, 2, 8, queries, points}, DataType::f32);
      EXPECT_TRUE(agrees(test)) << points << " points, " << queries << " queries";
      EXPECT_TRUE(agrees(packed(test, true))) << points << " points, " << queries << " queries, softmax";
    }
  }
}

TEST(DeformAttentionCpu, BordersAndNumbersThatAreNone) {
  KernelCase test = attention_case({1, 2, 16, 40, 4}, DataType::f32, 2);
  auto* locations = test.inputs[3].data<float>();
  // Exactly -1 and H or W of the levels, element centres, and what is no number.
  const double special[] = {-0.5 / 6, 6.5 / 6, -0.5 / 5, 5.5 / 5, 0.5 / 6, 0.5 / 5, -0.5 / 4, 4.5 / 4, kNaN, kInf, -kInf, 1e30, -1e30, 0, 1};
  for (std::int64_t i = 0; i < test.inputs[3].elements() / 2; ++i) locations[i] = static_cast<float>(special[(i * 7 + i / 15) % 15]);
  for (int i = 0; i < 50; ++i) test.inputs[4].data<float>()[i * 7] = i % 2 == 0 ? 0 : -3;
  EXPECT_TRUE(agrees(test));
  test.inputs[1] = tensor<std::int32_t>({3, 2}, {0, 1000, 3, 4, 7, 0});  // levels without elements
  EXPECT_TRUE(agrees(test));
}

TEST(DeformAttentionCpu, InfiniteNeighboursOfWeightZero) {
  KernelCase test = attention_case({1, 1, 32, 3, 2}, DataType::f32);
  for (std::int64_t d = 0; d < 32; ++d) test.inputs[0].data<float>()[13 * 32 + d] = static_cast<float>(kInf);  // level 0, element (0, 1)
  auto* locations = test.inputs[3].data<float>();
  for (std::int64_t i = 0; i < test.inputs[3].elements(); i += 2) locations[i] = 0.25f, locations[i + 1] = 0.5f;
  EXPECT_TRUE(agrees(test));
}

/// The kernel's own output, without any comparison.
Result<Tensor> run_kernel(const KernelCase& test, const Shape& shape, int threads) {
  std::vector<TensorDesc> inputs;
  std::vector<const void*> addresses;
  for (const Tensor& input : test.inputs) inputs.push_back(TensorDesc::dense(input.type(), input.shape())), addresses.push_back(input.raw());
  const std::vector<TensorDesc> outputs = {TensorDesc::dense(DataType::f32, shape)};
  FOVEA_ASSIGN(auto prepared, find_kernel("cpu", test.op, "squeezed_corners")->prepare({test.op, test.attributes, inputs, outputs, {}, threads}));
  std::vector<std::byte> scratch(prepared->scratch_bytes() + 64);
  FOVEA_ASSIGN(Tensor y, Tensor::allocate(DataType::f32, shape));
  void* out = y.raw();
  void* aligned = scratch.data() + (64 - reinterpret_cast<std::uintptr_t>(scratch.data()) % 64) % 64;
  FOVEA_RETURN_IF_ERROR(prepared->run({addresses.data(), &out, aligned}));
  return y;
}

TEST(DeformAttentionCpu, LevelsAreCheckedInEachRun) {
  KernelCase test = attention_case({1, 2, 8, 4, 4}, DataType::f32);
  test.inputs[2] = tensor<std::int64_t>({3}, {12, 0, 54});
  EXPECT_TRUE(fails(run_kernel(test, {1, 4, 16}, 1), ErrorCode::InvalidArgument, "level 2 of 1x7 from row 54 on does not fit the 60 rows"));
}

TEST(DeformAttentionCpu, ThreadsDoNotChangeTheNumbers) {
  const KernelCase test = attention_case({2, 3, 24, 97, 4}, DataType::f32);
  const Tensor one = run_kernel(test, {2, 97, 72}, 1).value();
  for (const int threads : {2, 3, 5}) EXPECT_TRUE(same(run_kernel(test, {2, 97, 72}, threads).value(), one)) << threads;
}

TEST(DeformAttention, WithoutQueriesOrLevels) {
  std::vector<Datum> inputs = two_levels();
  inputs[3] = random(DataType::f32, {1, 0, 1, 2, 2, 2});
  inputs[4] = random(DataType::f32, {1, 0, 1, 2, 2});
  EXPECT_EQ(run_op1(kMmcv, inputs).shape(), Shape({1, 0, 1}));
  inputs = two_levels();
  inputs[1] = random(DataType::i64, {0, 2});
  inputs[2] = random(DataType::i64, {0});
  inputs[3] = random(DataType::f32, {1, 1, 1, 0, 2, 2});
  inputs[4] = random(DataType::f32, {1, 1, 1, 0, 2});
  EXPECT_TRUE(same(run_op1(kMmcv, inputs), tensor<float>({1, 1, 1}, {0})));
}

TEST(DeformAttentionCpu, SaysWhyNot) {
  KernelCase test = attention_case({1, 2, 8, 4, 4}, DataType::f32);
  test.inputs[4] = random(DataType::f16, test.inputs[4].shape());
  EXPECT_EQ(refusal(test, "squeezed_corners"), "one type for value, locations, weights and output");
  test = attention_case({1, 2, 8, 4, 4}, DataType::f64);
  EXPECT_EQ(refusal(test, "squeezed_corners"), "computes in f32, f16 and bf16, found f64");
  test = attention_case({1, 2, 8, 0, 4}, DataType::f32);
  EXPECT_EQ(refusal(test, "squeezed_corners"), "an output [batch, queries, heads * width] with elements");
}

}  // namespace
}  // namespace fovea
