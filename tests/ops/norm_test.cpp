// SPDX-License-Identifier: Apache-2.0
// Normalisations and softmax against their definitions in other operators; numbers far from zero; errors.
#include <cmath>

#include "support/op_test.h"

namespace fovea::testing {
namespace {

using Infer = FakeInferContext;

Tensor ones(std::int64_t n, double value = 1) {
  Tensor result = Tensor::allocate(DataType::f32, {n}).value();
  for (float& x : result.values<float>()) x = static_cast<float>(value);
  return result;
}

TEST(LayerNormalization, EqualsItsParts) {
  const Tensor x = random(DataType::f32, {2, 3, 4}), scale = random(DataType::f32, {3, 4}, 0, 1, 2), bias = random(DataType::f32, {4}, -1, 1, 3);
  const Tensor centred = run_op1("Sub", {x, run_op1("ReduceMean", {x, ints({1, 2})})});
  const Tensor variance = run_op1("ReduceMean", {run_op1("Mul", {centred, centred}), ints({1, 2})});
  const Tensor normal = run_op1("Div", {centred, run_op1("Sqrt", {run_op1("Add", {variance, scalar(1e-5)})})});
  const Tensor expected = run_op1("Add", {run_op1("Mul", {normal, scale}), bias});
  EXPECT_TRUE(close(run_op1("LayerNormalization", {x, scale, bias}, attributes({{"axis", 1}})), expected, {1e-5, 1e-6}));
}

TEST(LayerNormalization, LargeMeanKeepsTheVariance) {
  // With sums of squares in f32 the variance would vanish.
  const Tensor x = tensor<float>({1, 4}, {10000, 10001, 10002, 10003});
  const Tensor y = run_op1("LayerNormalization", {x, ones(4)}, attributes({{"epsilon", 0.0}}));
  const double s = std::sqrt(1.25);
  EXPECT_TRUE(close(y, tensor<float>({1, 4}, {-1.5 / s, -0.5 / s, 0.5 / s, 1.5 / s}), {1e-6, 0}));
}

TEST(LayerNormalization, KnownRow) {
  const Tensor y = run_op1("LayerNormalization", {tensor<float>({1, 5}, {1, 2, 3, 4, 8}), scalar(1)});
  EXPECT_TRUE(close(y, tensor<float>({1, 5}, {-1.075887, -0.662084, -0.248282, 0.165521, 1.820731}), {1e-5, 1e-6}));
}

TEST(InstanceNormalization, KnownChannel) {
  const Tensor y = run_op1("InstanceNormalization", {tensor<float>({1, 1, 2, 2}, {1, 2, 3, 4}), ones(1, 2), ones(1, 1)});
  EXPECT_TRUE(close(y, tensor<float>({1, 1, 2, 2}, {-1.683271, 0.105576, 1.894424, 3.683271}), {1e-5, 1e-6}));
}

TEST(LayerNormalization, Statistics) {
  const auto outputs = run_op("LayerNormalization", {tensor<Half>({2, 2}, {1, 3, 2, 2}), tensor<Half>({2}, {1, 1})}, attributes({{"epsilon", 1.0}}), 3);
  ASSERT_TRUE(outputs.ok()) << outputs.status().message();
  EXPECT_TRUE(same((*outputs)[1], tensor<float>({2, 1}, {2, 2})));
  EXPECT_TRUE(close((*outputs)[2], tensor<float>({2, 1}, {1 / std::sqrt(2.0), 1})));
}

TEST(GroupNormalization, OneChannelPerGroupIsInstanceNormalization) {
  const Tensor x = random(DataType::f32, {2, 4, 3, 3}), scale = random(DataType::f32, {4}, 0, 1, 2), bias = random(DataType::f32, {4}, -1, 1, 3);
  EXPECT_TRUE(close(run_op1("GroupNormalization", {x, scale, bias}, attributes({{"num_groups", 4}})), run_op1("InstanceNormalization", {x, scale, bias}), {1e-6, 1e-7}));
  for (const std::int64_t groups : {std::int64_t{0}, std::int64_t{-1}, std::int64_t{3}, INT64_MAX}) {
    EXPECT_TRUE(fails(run_op("GroupNormalization", {x, scale, bias}, attributes({{"num_groups", groups}})), ErrorCode::InvalidArgument, "num_groups"));
  }
}

TEST(BatchNormalization, PerChannel) {
  const Tensor x = tensor<float>({1, 2, 2}, {1, 2, 3, 4});
  const Tensor y = run_op1("BatchNormalization", {x, tensor<float>({2}, {1, 2}), tensor<float>({2}, {0, 1}), tensor<float>({2}, {1, 3}), tensor<float>({2}, {4, 1})},
                           attributes({{"epsilon", 0.0}}));
  EXPECT_TRUE(close(y, tensor<float>({1, 2, 2}, {0, 0.5, 1, 3})));
  EXPECT_TRUE(fails(run_op("BatchNormalization", {x, ones(3), ones(2), ones(2), ones(2)}), ErrorCode::InvalidArgument, "expected 2 elements"));
}

TEST(RmsNormalization, NoMean) {
  EXPECT_TRUE(close(run_op1("RMSNormalization", {tensor<float>({1, 2}, {3, 4}), ones(2)}, attributes({{"epsilon", 0.0}})),
                    tensor<float>({1, 2}, {3 / std::sqrt(12.5), 4 / std::sqrt(12.5)})));
}

TEST(LpNormalization, ZerosStayZero) {
  EXPECT_TRUE(close(run_op1("LpNormalization", {tensor<float>({2, 2}, {3, 4, 0, 0})}), tensor<float>({2, 2}, {0.6, 0.8, 0, 0})));
  EXPECT_TRUE(fails(run_op("LpNormalization", {ones(2)}, attributes({{"p", 3}})), ErrorCode::InvalidArgument, "p must be 1 or 2"));
}

TEST(Lrn, WindowIsClipped) {
  const Tensor x = tensor<float>({1, 3, 1}, {1, 2, 3});
  const Tensor y = run_op1("LRN", {x}, attributes({{"size", 3}, {"alpha", 3.0}, {"beta", 1.0}, {"bias", 0.0}}));
  EXPECT_TRUE(close(y, tensor<float>({1, 3, 1}, {1.0 / 5, 2.0 / 14, 3.0 / 13})));
}

TEST(Softmax, LargeArgumentsAndAxes) {
  EXPECT_TRUE(close(run_op1("Softmax", {tensor<float>({1, 2}, {1e4, 1e4})}), tensor<float>({1, 2}, {0.5, 0.5})));
  EXPECT_TRUE(close(run_op1("LogSoftmax", {tensor<float>({1, 2}, {1e4, -1e4})}), tensor<float>({1, 2}, {0, -2e4})));
  EXPECT_TRUE(same(run_op1("Hardmax", {tensor<float>({2, 2}, {1, 5, 3, 5})}, attributes({{"axis", 0}})), tensor<float>({2, 2}, {0, 1, 1, 0})));
  EXPECT_TRUE(fails(run_op("Softmax", {ones(2)}, attributes({{"axis", 1}})), ErrorCode::InvalidArgument, "axis 1"));
}

TEST(SoftmaxCrossEntropyLoss, EqualsItsParts) {
  const Tensor scores = random(DataType::f32, {2, 3, 2}), labels = tensor<std::int64_t>({2, 2}, {0, 2, -7, 1}), weights = tensor<float>({3}, {1, 2, 3});
  const Attributes ignore = attributes({{"ignore_index", -7}});
  const Tensor logs = run_op1("LogSoftmax", {scores}, attributes({{"axis", 1}}));
  EXPECT_TRUE(close(run_op1("SoftmaxCrossEntropyLoss", {scores, labels, weights}, ignore), run_op1("NegativeLogLikelihoodLoss", {logs, labels, weights}, ignore), {1e-5, 0}));
  EXPECT_TRUE(fails(run_op("NegativeLogLikelihoodLoss", {scores, labels}), ErrorCode::InvalidArgument, "label -7"));
}

TEST(NormShapes, Symbolic) {
  const auto x = Infer::symbolic(DataType::f16, "NxCxH");
  Infer context("LayerNormalization", {}, {x, Infer::symbolic(DataType::f16, "H")}, 2);
  ASSERT_TRUE(context.infer().ok());
  EXPECT_EQ(context.output_text(0), "f16 NxCxH");
  EXPECT_EQ(context.output_text(1), "f32 NxCx1");
}

}  // namespace
}  // namespace fovea::testing
