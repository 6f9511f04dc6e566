// SPDX-License-Identifier: Apache-2.0
// Pointwise programs as text and as numbers, lowering of elementwise operators, and the fused references.
#include <cmath>

#include "ops/fused/lower_elementwise.h"
#include "support/op_test.h"

namespace fovea {
namespace {

using namespace testing;

TEST(PointwiseProgram, TextRoundTrips) {
  PointwiseProgram program;
  const int x = program.add_input(DataType::f32, 0), y = program.add_input(DataType::f32, 1);
  const int half = program.add_constant(DataType::f32, 0.1);
  program.outputs = {program.add(PointwiseOp::Sigmoid, DataType::f32, program.add(PointwiseOp::Mul, DataType::f32, x, half)), y};
  const auto parsed = PointwiseProgram::parse(program.to_string());
  ASSERT_TRUE(parsed.ok()) << parsed.status().message();
  EXPECT_EQ(parsed->to_string(), program.to_string());
  EXPECT_EQ(parsed->code[2].constant.real, static_cast<double>(0.1f));
}

TEST(PointwiseProgram, MalformedTextIsAnErrorThatNamesTheClause) {
  EXPECT_TRUE(fails(PointwiseProgram::parse("input f32 0; frobnicate f32 0; output 1"), ErrorCode::InvalidModel, "frobnicate"));
  EXPECT_TRUE(fails(PointwiseProgram::parse("input f32 0; add f32 0 1; output 1"), ErrorCode::InvalidModel, "not an earlier"));
  EXPECT_TRUE(fails(PointwiseProgram::parse("input f32 0; not bool 0; output 1"), ErrorCode::InvalidModel, "expected bool"));
  EXPECT_TRUE(fails(PointwiseProgram::parse("input f32 0"), ErrorCode::InvalidModel, "no output"));
  EXPECT_TRUE(fails(PointwiseProgram::parse("input f32 99999999999; output 0"), ErrorCode::InvalidModel, "cannot read"));
}

TEST(PointwiseProgram, AppendJoinsPrograms) {
  const DataType f32[] = {DataType::f32, DataType::f32};
  PointwiseProgram add = program_of("Add", {}, f32).value();
  const PointwiseProgram relu = program_of("Relu", {}, std::span(f32, 1)).value();
  add.outputs = add.append(relu, {add.outputs[0]});
  add.remove_unused();
  EXPECT_EQ(add.to_string(), "input f32 0; input f32 1; add f32 0 1; relu f32 2; output 3");
}

struct UnaryCase {
  const char* op;
  double x, y;
  const char* parameter = nullptr;
  double value = 0;
};

class LoweredUnary : public ::testing::TestWithParam<UnaryCase> {};

TEST_P(LoweredUnary, GivesTheOperatorsValue) {
  const UnaryCase& c = GetParam();
  Attributes attributes;
  if (c.parameter) attributes.set(c.parameter, c.value);
  const DataType f32[] = {DataType::f32};
  const auto program = program_of(c.op, attributes, f32);
  ASSERT_TRUE(program.ok()) << program.status().message();
  std::vector<PointwiseScalar> values(program->code.size());
  const PointwiseScalar x{.real = c.x};
  program->evaluate(&x, values.data());
  EXPECT_NEAR(values[static_cast<std::size_t>(program->outputs[0])].real, c.y, 1e-6 * std::fmax(1, std::fabs(c.y))) << c.op;
}

INSTANTIATE_TEST_SUITE_P(Table, LoweredUnary, ::testing::Values(
    UnaryCase{"Relu", -1, 0}, UnaryCase{"LeakyRelu", -2, -0.02}, UnaryCase{"LeakyRelu", -2, -1, "alpha", 0.5}, UnaryCase{"Elu", -1, std::expm1(-1)},
    UnaryCase{"HardSwish", 1, 2.0 / 3}, UnaryCase{"HardSigmoid", 1, 0.7}, UnaryCase{"Gelu", 1, 0.8413447460685429}, UnaryCase{"Mish", 1, 0.8650983882673103},
    UnaryCase{"Selu", 2, 2.1014020}, UnaryCase{"Softsign", -3, -0.75}, UnaryCase{"Swish", 1, 0.7310585786300049}, UnaryCase{"Celu", -1, std::expm1(-1)},
    UnaryCase{"ThresholdedRelu", 0.5, 0}, UnaryCase{"Round", 2.5, 2}, UnaryCase{"Softplus", 100, 100}, UnaryCase{"Sigmoid", -200, 0}));

TEST(FusedMatMul, ScaleBiasResidualActivation) {
  const Tensor a = tensor<float>({2, 2}, {1, 2, 3, 4}), b = tensor<float>({2, 2}, {1, 0, 0, 1}), c = tensor<float>({2}, {-10, 1}), r = tensor<float>({2, 2}, {0, 1, 2, 3});
  const Tensor y = run_op1("fovea::matmul", {a, b, c, r}, attributes({{"scale", 2.0}, {"transA", 1}, {"activation", "relu"}, {"residual", "after"}}));
  EXPECT_TRUE(close(y, tensor<float>({2, 2}, {0, 8, 2, 12}), {1e-6}));
}

TEST(FusedConv, GroupedWithClipBeforeResidual) {
  const Tensor x = tensor<float>({1, 2, 1, 3}, {1, 2, 3, 4, 5, 6}), w = tensor<float>({2, 1, 1, 2}, {1, 1, 1, -1}), b = tensor<float>({2}, {1, 0}), r = tensor<float>({1, 2, 1, 2}, {1, 1, 5, -5});
  const Tensor y = run_op1("fovea::conv", {x, w, b, r}, attributes({{"group", 2}, {"activation", "clip"}, {"alpha", -2.0}, {"beta", 6.0}, {"residual", "before"}}));
  EXPECT_TRUE(close(y, tensor<float>({1, 2, 1, 2}, {5, 6, 4, -2}), {1e-6}));
}

TEST(FusedPointwise, BroadcastsItsInputs) {
  const Tensor a = tensor<float>({2, 1}, {1, 2}), b = tensor<float>({3}, {10, 20, 30});
  const Tensor y = run_op1("fovea::pointwise", {a, b}, attributes({{"program", "input f32 0; input f32 1; add f32 0 1; output 2"}}));
  EXPECT_TRUE(same(y, tensor<float>({2, 3}, {11, 21, 31, 12, 22, 32})));
}

}  // namespace
}  // namespace fovea
