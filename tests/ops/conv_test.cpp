// SPDX-License-Identifier: Apache-2.0
// Convolutions: numbers that can be checked by hand, shapes with symbols, and attributes that make no sense.
#include "support/op_test.h"

namespace fovea::testing {
namespace {

using Ints = std::vector<std::int64_t>;

const Tensor kConvRow = tensor<float>({1, 1, 5}, {1, 2, 3, 4, 5});

TEST(Conv, StridePadDilation) {
  const Tensor weights = tensor<float>({1, 1, 2}, {1, 10});
  EXPECT_TRUE(close(run_op1("Conv", {kConvRow, weights}), tensor<float>({1, 1, 4}, {21, 32, 43, 54})));
  EXPECT_TRUE(close(run_op1("Conv", {kConvRow, weights}, attributes({{"pads", Ints{1, 2}}, {"strides", Ints{3}}})),
                    tensor<float>({1, 1, 3}, {10, 43, 0})));
  EXPECT_TRUE(close(run_op1("Conv", {kConvRow, weights}, attributes({{"dilations", Ints{3}}})), tensor<float>({1, 1, 2}, {41, 52})));
}

TEST(Conv, AutoPadSplitsTheOddElement) {
  const Tensor weights = tensor<float>({1, 1, 2}, {1, 10});
  EXPECT_TRUE(close(run_op1("Conv", {kConvRow, weights}, attributes({{"auto_pad", "SAME_UPPER"}})), tensor<float>({1, 1, 5}, {21, 32, 43, 54, 5})));
  EXPECT_TRUE(close(run_op1("Conv", {kConvRow, weights}, attributes({{"auto_pad", "SAME_LOWER"}})), tensor<float>({1, 1, 5}, {10, 21, 32, 43, 54})));
}

TEST(Conv, GroupsAndBias) {
  const Tensor x = tensor<double>({1, 4, 1, 1}, {1, 2, 3, 4});
  const Tensor weights = tensor<double>({2, 2, 1, 1}, {1, 10, 1, 10}), bias = tensor<double>({2}, {0.5, -0.5});
  EXPECT_TRUE(close(run_op1("Conv", {x, weights, bias}, attributes({{"group", 2}})), tensor<double>({1, 2, 1, 1}, {21.5, 42.5})));
}

TEST(Conv, HalfIsRoundedOnce) {
  const Tensor x = tensor<Half>({1, 2, 1}, {2048, 1}), weights = tensor<Half>({1, 2, 1}, {1, 1});
  const Tensor bias = tensor<Half>({1}, {1});
  EXPECT_TRUE(same(run_op1("Conv", {x, weights, bias}), tensor<Half>({1, 1, 1}, {2050})));
}

TEST(Conv, OneTapWindowsOnThreeAxesEqualTheGeneralPath) {
  const Tensor x = random(DataType::f32, {2, 3, 2, 3, 4}), weights = random(DataType::f32, {4, 3, 1, 1, 1});
  const Tensor fast = run_op1("Conv", {x, weights});
  const Tensor general = run_op1("Conv", {x, weights}, attributes({{"pads", Ints{1, 0, 0, 0, 0, 0}}}));
  for (std::int64_t plane = 0; plane < 8; ++plane) {
    for (std::int64_t i = 0; i < 24; ++i) EXPECT_EQ(element(fast, plane * 24 + i), element(general, plane * 36 + 12 + i));
  }
}

TEST(Conv, SymbolicShapes) {
  const auto weights = symbolic(DataType::f32, "8x3x3x3");
  EXPECT_EQ(infer_text("Conv", {symbolic(DataType::f32, "Nx3xHxW"), weights}, attributes({{"pads", Ints{1, 1, 1, 1}}})), "f32 Nx8xHxW");
  EXPECT_EQ(infer_text("Conv", {symbolic(DataType::f32, "Nx3xHxW"), weights}, attributes({{"auto_pad", "SAME_UPPER"}, {"strides", Ints{2, 2}}})),
            "f32 Nx8x(floordiv(H+1,2))x(floordiv(W+1,2))");
  EXPECT_EQ(infer_text("Conv", {symbolic(DataType::f32, "?"), weights}), "f32 ?");
}

TEST(Conv, RefusesNonsense) {
  const Tensor x = random(DataType::f32, {1, 4, 5, 5}), weights = random(DataType::f32, {4, 4, 3, 3});
  const auto refused = [&](Attributes attributes, const char* phrase, ErrorCode code = ErrorCode::InvalidModel) {
    return fails(run_op("Conv", {x, weights}, attributes), code, phrase);
  };
  EXPECT_TRUE(refused(attributes({{"strides", Ints{0, 1}}}), "strides"));
  EXPECT_TRUE(refused(attributes({{"dilations", Ints{1, -1}}}), "dilations"));
  EXPECT_TRUE(refused(attributes({{"pads", Ints{0, 0, -1, 0}}}), "pads"));
  EXPECT_TRUE(refused(attributes({{"pads", Ints{0, 0}}}), "pads: expected 4 numbers"));
  EXPECT_TRUE(refused(attributes({{"kernel_shape", Ints{0, 3}}}), "kernel_shape"));
  EXPECT_TRUE(refused(attributes({{"kernel_shape", Ints{2, 3}}}), "the weights have 3"));
  EXPECT_TRUE(refused(attributes({{"group", 0}}), "group"));
  EXPECT_TRUE(refused(attributes({{"group", 3}}), "does not divide", ErrorCode::InvalidArgument));
  EXPECT_TRUE(refused(attributes({{"dilations", Ints{3, 3}}}), "does not fit", ErrorCode::InvalidArgument));
  EXPECT_TRUE(refused(attributes({{"pads", Ints{2147483647, 2147483647, 2147483647, 2147483647}}}), "overflows", ErrorCode::InvalidArgument));
  const Tensor wide = Tensor::allocate(DataType::f32, {1, 0, std::int64_t{1} << 40, std::int64_t{1} << 40}).value();
  EXPECT_TRUE(fails(run_op("Conv", {wide, Tensor::allocate(DataType::f32, {1, 0, 1, 1}).value()}), ErrorCode::InvalidArgument, "overflows"));
  EXPECT_TRUE(fails(run_op("Conv", {x, random(DataType::f32, {4, 3, 3, 3})}), ErrorCode::InvalidArgument, "expected 4 channels"));
}

TEST(ConvTranspose, OverlapsCropsAndPads) {
  const Tensor weights = tensor<float>({1, 1, 3}, {1, 10, 100}), x = tensor<float>({1, 1, 2}, {1, 2});
  const auto run = [&](Attributes attributes) { return run_op1("ConvTranspose", {x, weights}, attributes); };
  EXPECT_TRUE(close(run({}), tensor<float>({1, 1, 4}, {1, 12, 120, 200})));
  EXPECT_TRUE(close(run(attributes({{"strides", Ints{2}}})), tensor<float>({1, 1, 5}, {1, 10, 102, 20, 200})));
  EXPECT_TRUE(close(run(attributes({{"strides", Ints{2}}, {"pads", Ints{1, 1}}, {"output_padding", Ints{1}}})),
                    tensor<float>({1, 1, 4}, {10, 102, 20, 200})));
  EXPECT_TRUE(close(run(attributes({{"strides", Ints{2}}, {"output_shape", Ints{6}}})), tensor<float>({1, 1, 6}, {1, 10, 102, 20, 200, 0})));
  EXPECT_TRUE(close(run(attributes({{"strides", Ints{2}}, {"auto_pad", "SAME_UPPER"}})), tensor<float>({1, 1, 4}, {1, 10, 102, 20})));
  EXPECT_TRUE(close(run(attributes({{"strides", Ints{2}}, {"auto_pad", "SAME_LOWER"}})), tensor<float>({1, 1, 4}, {10, 102, 20, 200})));
}

TEST(ConvTranspose, SymbolicShapes) {
  EXPECT_EQ(infer_text("ConvTranspose", {symbolic(DataType::f32, "Nx4xHxW"), symbolic(DataType::f32, "4x3x2x2")},
                       attributes({{"strides", Ints{2, 2}}, {"group", 2}})),
            "f32 Nx6x(2*H)x(2*W)");
}

TEST(ConvInteger, ZeroPointsMakePaddingZero) {
  const Tensor x = tensor<std::uint8_t>({1, 1, 2}, {5, 7}), weights = tensor<std::int8_t>({1, 1, 2}, {-1, 3});
  const Attributes padded = attributes({{"pads", Ints{1, 0}}});
  EXPECT_TRUE(same(run_op1("ConvInteger", {x, weights, tensor<std::uint8_t>({}, {5}), tensor<std::int8_t>({1}, {1})}, padded),
                   tensor<std::int32_t>({1, 1, 2}, {0, 4})));
}

TEST(QLinearConv, RoundsHalfToEvenAndSaturates) {
  const auto one = [](double value) { return tensor<float>({}, {value}); };
  const Tensor x = tensor<std::uint8_t>({1, 1, 4}, {129, 131, 255, 0}), weights = tensor<std::int8_t>({1, 1, 1}, {1});
  const Tensor y = run_op1("QLinearConv", {x, one(0.5), tensor<std::uint8_t>({}, {128}), weights, one(1), tensor<std::int8_t>({}, {0}), one(1),
                                           tensor<std::int8_t>({}, {-100})});
  EXPECT_TRUE(same(y, tensor<std::int8_t>({1, 1, 4}, {-100, -98, -36, -128})));
}

TEST(Col2Im, AddsOverlappingBlocks) {
  const Tensor x = tensor<std::int32_t>({1, 4, 2}, {1, 10, 2, 20, 3, 30, 4, 40});
  EXPECT_TRUE(same(run_op1("Col2Im", {x, ints({2, 3}), ints({2, 2})}), tensor<std::int32_t>({1, 1, 2, 3}, {1, 12, 20, 3, 34, 40})));
  EXPECT_TRUE(fails(run_op("Col2Im", {x, ints({2, 4}), ints({2, 2})}), ErrorCode::InvalidArgument, "expected 3 blocks"));
  EXPECT_TRUE(fails(run_op("Col2Im", {x, ints({2, 3}), ints({2, 0})}), ErrorCode::InvalidModel, "block_shape"));
}

}  // namespace
}  // namespace fovea::testing
