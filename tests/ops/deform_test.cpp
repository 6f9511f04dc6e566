// SPDX-License-Identifier: Apache-2.0
// Sampling at real coordinates: DeformConv and GridSample, borders, ties, NaN and infinity.
#include <cmath>
#include <limits>

#include "ops/deform/bilinear.h"
#include "support/op_test.h"

namespace fovea::testing {
namespace {

using Ints = std::vector<std::int64_t>;

const Tensor kNine = tensor<float>({1, 1, 3, 3}, {1, 2, 3, 4, 5, 6, 7, 8, 9});

TEST(Bilinear, BothBorderRules) {
  const float plane[] = {1, 2, 3, 4};
  const auto zero = [&](double y, double x) { return ops::zero_border_taps(y, x, 2, 2).sample(plane); };
  const auto clamped = [&](double y, double x) { return ops::clamped_border_taps(y, x, 2, 2).sample(plane); };
  EXPECT_EQ(zero(0.5, 0.5), 2.5);
  EXPECT_EQ(zero(-0.5, 0), 0.5);
  EXPECT_EQ(zero(-1, 0), 0);
  EXPECT_EQ(zero(2, 0), 0);
  EXPECT_EQ(zero(1.5, 1), 2);
  EXPECT_EQ(clamped(-1, 0), 1);
  EXPECT_EQ(clamped(2, 2), 4);
  EXPECT_EQ(clamped(2.01, 0), 0);
  EXPECT_EQ(clamped(0.5, 1.5), 3);
  for (const double bad : {kNaN, kInf, -kInf}) {
    EXPECT_EQ(zero(bad, 0), 0);
    EXPECT_EQ(clamped(0, bad), 0);
  }
  EXPECT_EQ(ops::clamped_border_taps(0, 0, 0, 5).count, 0);
  EXPECT_EQ(ops::zero_border_taps(0, 0, 5, 0).count, 0);
}

TEST(Bilinear, ElementsOfWeightZeroDoNotCount) {
  const double plane[] = {1, kInf, kNaN, 4};
  EXPECT_EQ(ops::zero_border_taps(0, 0, 2, 2).sample(plane), 1);
  EXPECT_EQ(ops::clamped_border_taps(1, 1, 2, 2).sample(plane), 4);
}

Tensor deform(const Tensor& weights, const Tensor& offset, Attributes attributes = {}) {
  return run_op1("DeformConv", {kNine, weights, offset}, attributes);
}

TEST(DeformConv, OffsetsMoveSingleTaps) {
  const Tensor weights = tensor<float>({1, 1, 2, 2}, {1, 0, 0, 1});
  Tensor offset = tensor<float>({1, 8, 1, 1}, {0, 0, 0, 0, 0, 0, 0, 0});
  const Attributes once = attributes({{"strides", Ints{2, 2}}});
  EXPECT_TRUE(close(deform(weights, offset, once), tensor<float>({1, 1, 1, 1}, {6})));
  offset.data<float>()[0] = 0.5f;   // y of tap 0
  offset.data<float>()[7] = -0.5f;  // x of tap 3
  EXPECT_TRUE(close(deform(weights, offset, once), tensor<float>({1, 1, 1, 1}, {2.5 + 4.5})));
  offset.data<float>()[6] = 1.5f;  // y of tap 3: half of the last row fades out
  EXPECT_TRUE(close(deform(weights, offset, once), tensor<float>({1, 1, 1, 1}, {2.5 + 0.5 * 7.5})));
  offset.data<float>()[6] = static_cast<float>(kNaN);
  EXPECT_TRUE(close(deform(weights, offset, once), tensor<float>({1, 1, 1, 1}, {2.5})));
}

TEST(DeformConv, WithoutOffsetsItIsConv) {
  const Tensor x = random(DataType::f32, {2, 4, 5, 6}), weights = random(DataType::f32, {6, 2, 3, 2}, -1, 1, 2), bias = random(DataType::f32, {6}, -1, 1, 3);
  const Attributes window = attributes({{"group", 2}, {"strides", Ints{2, 1}}, {"pads", Ints{1, 0, 1, 2}}, {"dilations", Ints{1, 2}}});
  const Tensor expected = run_op1("Conv", {x, weights, bias}, window);
  Attributes deformed = window;
  deformed.set("offset_group", std::int64_t{2});
  Tensor offset = Tensor::allocate(DataType::f32, {2, 24, expected.dim(2), expected.dim(3)}).value();
  EXPECT_TRUE(close(run_op1("DeformConv", {x, weights, offset, bias}, deformed), expected, {1e-5, 1e-6}));
  const Tensor mask = random(DataType::f32, {2, 12, expected.dim(2), expected.dim(3)}, 0.5, 0.5 + 1e-9);
  const Tensor halved = run_op1("DeformConv", {x, weights, offset, {}, mask}, deformed);
  const Tensor unbiased = run_op1("Conv", {x, weights}, window);
  for (std::int64_t i = 0; i < halved.elements(); ++i) EXPECT_NEAR(element(halved, i), element(unbiased, i) / 2, 1e-5);
}

TEST(DeformConv, OffsetsOfMmcvsExample) {
  const Tensor x = tensor<float>({1, 1, 3, 3}, {1, 2, 3, 0, 1, 2, 3, 5, 2}), weights = tensor<float>({1, 1, 2, 2}, {.4, .2, .1, .9});
  Tensor offset = Tensor::allocate(DataType::f32, {1, 8, 2, 2}).value();
  std::fill_n(offset.data<float>(), 32, 9.0f);  // elsewhere every tap is outside
  const float first[] = {1.7f, 1.1f, 3.1f, 2.0f, 1.6f, 2.5f, 1.7f, 1.7f};
  for (int i = 0; i < 8; ++i) offset.data<float>()[4 * i] = first[i];
  EXPECT_TRUE(close(run_op1("DeformConv", {x, weights, offset}), tensor<float>({1, 1, 2, 2}, {1.65, 0, 0, 0}), {1e-6, 1e-6}));
}

TEST(DeformConv, StrideAndPadAreHeightThenWidth) {
  const Tensor weights = tensor<float>({1, 1, 2, 2}, {1, 0, 0, 1});
  const Tensor offset = Tensor::allocate(DataType::f32, {1, 8, 4, 1}).value();
  EXPECT_TRUE(same(deform(weights, offset, attributes({{"strides", Ints{1, 2}}, {"pads", Ints{1, 0, 1, 0}}})), tensor<float>({1, 1, 4, 1}, {2, 6, 12, 7})));
}

TEST(DeformConv, MaskAndBias) {
  const Tensor weights = tensor<float>({1, 1, 2, 2}, {1, 0, 0, 1});
  Tensor offset = Tensor::allocate(DataType::f32, {1, 8, 2, 2}).value(), mask = Tensor::allocate(DataType::f32, {1, 4, 2, 2}).value();
  std::fill_n(offset.data<float>(), 4, 0.5f);        // y of tap 0
  std::fill_n(offset.data<float>() + 28, 4, -0.5f);  // x of tap 3
  std::fill_n(mask.data<float>(), 12, 1.0f);
  std::fill_n(mask.data<float>() + 12, 4, 0.25f);
  EXPECT_TRUE(same(deform(weights, offset), tensor<float>({1, 1, 2, 2}, {7, 9, 13, 15})));
  EXPECT_TRUE(same(run_op1("DeformConv", {kNine, weights, offset, tensor<float>({1}, {0.5}), mask}), tensor<float>({1, 1, 2, 2}, {4.125, 5.375, 7.875, 9.125})));
  std::fill_n(offset.data<float>(), 32, 0.0f);
  std::fill_n(mask.data<float>(), 16, 1.0f);
  std::fill_n(offset.data<float>() + 24, 4, 1.5f);  // y of tap 3: fades out at the last row
  EXPECT_TRUE(same(deform(weights, offset), tensor<float>({1, 1, 2, 2}, {5, 6.5, 4, 5})));
}

TEST(DeformConv, MapsOfAnotherSizeAreFoundWithoutRunning) {
  const auto x = symbolic(DataType::f32, "Nx4x9xW"), weights = symbolic(DataType::f32, "8x4x3x3");
  const auto inferred = [&](const char* offset, const char* mask, Attributes given = {}) {
    FakeInferContext context("DeformConv", std::move(given), {x, weights, symbolic(DataType::f32, offset), FakeInferContext::missing(), symbolic(DataType::f32, mask)}, 1);
    return context.infer();
  };
  EXPECT_TRUE(inferred("Nx18x7xV", "Nx9x7xV").ok());
  EXPECT_TRUE(fails(inferred("Nx18x9xV", "?"), ErrorCode::InvalidModel, "offset: height: expected 7, found 9"));
  EXPECT_TRUE(fails(inferred("?", "Nx9x8xV"), ErrorCode::InvalidModel, "mask: height: expected 7, found 8"));
  EXPECT_TRUE(fails(inferred("Nx9x7xV", "?"), ErrorCode::InvalidModel, "offset: channels: expected 18, found 9"));
  EXPECT_TRUE(fails(inferred("Nx18x7", "?"), ErrorCode::InvalidModel, "offset: expected rank 4"));
  EXPECT_TRUE(fails(inferred("?", "?", attributes({{"offset_group", 3}})), ErrorCode::InvalidModel, "offset_group: 3 does not divide the 4"));
}

TEST(DeformConv, RefusesNonsense) {
  const Tensor weights = tensor<float>({1, 1, 2, 2}, {1, 0, 0, 1});
  const auto refused = [&](const Shape& offset, Attributes attributes, const char* phrase, ErrorCode code = ErrorCode::InvalidArgument) {
    return fails(run_op("DeformConv", {kNine, weights, random(DataType::f32, offset)}, attributes), code, phrase);
  };
  EXPECT_TRUE(refused({1, 8, 3, 3}, {}, "offset: expected 1x8x2x2"));
  EXPECT_TRUE(refused({1, 4, 2, 2}, {}, "offset: expected 1x8x2x2"));
  EXPECT_TRUE(refused({1, 8, 2, 2}, attributes({{"offset_group", 2}}), "offset_group"));
  EXPECT_TRUE(refused({1, 8, 2, 2}, attributes({{"offset_group", 0}}), "offset_group", ErrorCode::InvalidModel));
  EXPECT_EQ(infer_text("DeformConv", {symbolic(DataType::f32, "Nx1xHxW"), symbolic(DataType::f32, "1x1x2x2"), symbolic(DataType::f32, "?")}),
            "f32 Nx1x(H-1)x(W-1)");
}

/// The points (0, 0), (-1, -1), (0.5, -0.5), (1.4, 0) on the 3 x 3 plane.
Tensor sampled(const char* mode, const char* padding, int align_corners) {
  const Tensor grid = tensor<float>({1, 1, 4, 2}, {0, 0, -1, -1, 0.5, -0.5, 1.4, 0});
  return run_op1("GridSample", {kNine, grid}, attributes({{"mode", mode}, {"padding_mode", padding}, {"align_corners", align_corners}}));
}
Tensor points(std::initializer_list<double> values) { return tensor<float>({1, 1, 1, 4}, values); }

TEST(GridSample, PaddingAndTies) {
  EXPECT_TRUE(close(sampled("linear", "zeros", 0), points({5, 0.25, 3.5, 0}), {1e-5, 1e-5}));
  EXPECT_TRUE(close(sampled("linear", "border", 0), points({5, 1, 3.5, 6}), {1e-5, 1e-5}));
  EXPECT_TRUE(close(sampled("linear", "reflection", 0), points({5, 1, 3.5, 5.9}), {1e-5, 1e-5}));
  EXPECT_TRUE(close(sampled("linear", "zeros", 1), points({5, 1, 4, 3.6}), {1e-5, 1e-5}));
  EXPECT_TRUE(close(sampled("linear", "border", 1), points({5, 1, 4, 6}), {1e-5, 1e-5}));
  EXPECT_TRUE(close(sampled("linear", "reflection", 1), points({5, 1, 4, 5.6}), {1e-5, 1e-5}));
  EXPECT_TRUE(same(sampled("nearest", "zeros", 0), points({5, 1, 3, 0})));
  EXPECT_TRUE(same(sampled("nearest", "border", 0), points({5, 1, 3, 6})));
  EXPECT_TRUE(same(sampled("nearest", "reflection", 1), points({5, 1, 3, 6})));
}

TEST(GridSample, NotFiniteCoordinates) {
  const Tensor grid = tensor<float>({1, 1, 4, 2}, {kNaN, 0, kInf, 0, -kInf, 0, 1e30, 1e30});
  for (const char* mode : {"linear", "nearest", "cubic"}) {
    EXPECT_TRUE(same(run_op1("GridSample", {kNine, grid}, attributes({{"mode", mode}})), points({0, 0, 0, 0})));
    EXPECT_TRUE(same(run_op1("GridSample", {kNine, grid}, attributes({{"mode", mode}, {"padding_mode", "border"}})), points({4, 6, 4, 9})));
    EXPECT_EQ(element(run_op1("GridSample", {kNine, grid}, attributes({{"mode", mode}, {"padding_mode", "reflection"}})), 0), 4);
  }
}

TEST(GridSample, OneElementAxesAndOtherTypes) {
  const Tensor one = tensor<std::int16_t>({1, 1, 1, 1}, {7}), grid = tensor<float>({1, 1, 2, 2}, {0.3, -5, 0, 0});
  for (const char* mode : {"linear", "nearest", "cubic"}) {
    for (const int align : {0, 1}) {
      const Tensor y = run_op1("GridSample", {one, grid}, attributes({{"mode", mode}, {"padding_mode", "reflection"}, {"align_corners", align}}));
      EXPECT_TRUE(same(y, tensor<std::int16_t>({1, 1, 1, 2}, {7, 7})));
    }
  }
  EXPECT_TRUE(same(run_op1("GridSample", {strings({1, 1, 2}, {"a", "b"}), tensor<float>({1, 2, 1}, {0.6, -9})}, attributes({{"mode", "nearest"}})),
                   strings({1, 1, 2}, {"b", ""})));
}

TEST(GridSample, ShapesAndErrors) {
  EXPECT_EQ(infer_text("GridSample", {symbolic(DataType::f32, "NxCxDxHxW"), symbolic(DataType::f32, "Nx2x3xQx3")}), "f32 NxCx2x3xQ");
  EXPECT_TRUE(fails(run_op("GridSample", {kNine, random(DataType::f32, {1, 2, 2, 3})}), ErrorCode::InvalidArgument, "2 coordinates"));
  EXPECT_TRUE(fails(run_op("GridSample", {kNine, random(DataType::f32, {2, 2, 2, 2})}), ErrorCode::InvalidArgument, "batch 1"));
  EXPECT_TRUE(fails(run_op("GridSample", {kNine, random(DataType::f32, {1, 2, 2})}), ErrorCode::InvalidArgument, "rank 4"));
}

}  // namespace
}  // namespace fovea::testing
