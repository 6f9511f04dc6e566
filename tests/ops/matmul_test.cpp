// SPDX-License-Identifier: Apache-2.0
// Matrix products, Einsum and Det against plain definitions and against each other; errors.
#include <cmath>

#include "support/op_test.h"

namespace fovea::testing {
namespace {

using Infer = FakeInferContext;

Attributes equation(const char* text) { return attributes({{"equation", text}}); }

TEST(MatMul, BatchesBroadcast) {
  const Tensor a = random(DataType::f32, {2, 1, 3, 4}), b = random(DataType::f32, {5, 4, 2}, -1, 1, 2);
  EXPECT_TRUE(close(run_op1("MatMul", {a, b}), run_op1("Einsum", {a, b}, equation("...ij,...jk->...ik")), {1e-6, 1e-7}));
}

TEST(MatMul, Vectors) {
  const Tensor row = tensor<float>({3}, {1, 2, 3}), m = tensor<float>({3, 2}, {1, 2, 3, 4, 5, 6});
  EXPECT_TRUE(same(run_op1("MatMul", {row, m}), tensor<float>({2}, {22, 28})));
  EXPECT_TRUE(same(run_op1("MatMul", {row, row}), scalar(14)));
  EXPECT_TRUE(same(run_op1("MatMul", {Tensor::allocate(DataType::f32, {2, 0}).value(), Tensor::allocate(DataType::f32, {0, 2}).value()}),
                   tensor<float>({2, 2}, {0, 0, 0, 0})));
}

TEST(MatMul, IntegersWrapAndHalvesAccumulateWide) {
  const Tensor big = tensor<std::uint32_t>({1, 2}, {4294967295.0, 2}), two = tensor<std::uint32_t>({2, 1}, {2, 3});
  EXPECT_TRUE(same(run_op1("MatMul", {big, two}), tensor<std::uint32_t>({1, 1}, {4})));
  Tensor ones = Tensor::allocate(DataType::f16, {1, 4096}).value();
  for (Half& value : ones.values<Half>()) value = Half(1.0f);
  EXPECT_TRUE(same(run_op1("MatMul", {ones, ones.reshaped({4096, 1})}), tensor<Half>({1, 1}, {4096})));
}

TEST(MatMul, RejectsWhatDoesNotFit) {
  const Tensor a = random(DataType::f32, {2, 3});
  EXPECT_TRUE(fails(run_op("MatMul", {a, a}), ErrorCode::InvalidArgument, "inner extent"));
  EXPECT_TRUE(fails(run_op("MatMul", {a, scalar(1)}), ErrorCode::InvalidArgument, "rank >= 1"));
  EXPECT_TRUE(fails(run_op("MatMul", {tensor<std::int64_t>({1, 1}, {1}), tensor<std::int32_t>({1, 1}, {1})}), ErrorCode::InvalidArgument, "one element type"));
}

TEST(Gemm, TransposesAndScales) {
  const Tensor a = random(DataType::f32, {4, 3}), b = random(DataType::f32, {5, 4}, -1, 1, 2), c = random(DataType::f32, {5}, -1, 1, 3);
  const Tensor y = run_op1("Gemm", {a, b, c}, attributes({{"transA", 1}, {"transB", 1}, {"alpha", 0.5}, {"beta", 2.0}}));
  const Tensor product = run_op1("Einsum", {a, b}, equation("ki,jk->ij"));
  const Tensor expected = run_op1("Add", {run_op1("Mul", {product, scalar(0.5)}), run_op1("Mul", {c, scalar(2)})});
  EXPECT_TRUE(close(y, expected, {1e-5, 1e-6}));
  EXPECT_TRUE(fails(run_op("Gemm", {a, a, c}, attributes({{"transA", 1}})), ErrorCode::InvalidArgument, "broadcast"));
}

TEST(MatMulInteger, ZeroPointsPerRowAndColumn) {
  const Tensor a = tensor<std::uint8_t>({2, 2}, {1, 2, 3, 4}), b = tensor<std::int8_t>({2, 2}, {5, 6, 7, 8});
  EXPECT_TRUE(same(run_op1("MatMulInteger", {a, b, tensor<std::uint8_t>({2}, {1, 3}), tensor<std::int8_t>({2}, {5, 6})}),
                   tensor<std::int32_t>({2, 2}, {2, 2, 2, 2})));
}

TEST(QLinearMatMul, SaturatesAndRejectsEmptyScales) {
  const Tensor a = tensor<std::int8_t>({1, 1}, {100}), one = scalar(1), zero = scalar<std::int8_t>(0);
  EXPECT_TRUE(same(run_op1("QLinearMatMul", {a, one, zero, a, one, zero, one, zero}), tensor<std::int8_t>({1, 1}, {127})));
  const Tensor none = Tensor::allocate(DataType::f32, {0}).value();
  EXPECT_TRUE(fails(run_op("QLinearMatMul", {a, none, zero, a, one, zero, one, zero}), ErrorCode::InvalidArgument, "expected 1"));
}

TEST(Einsum, DiagonalsSumsAndOuterProducts) {
  const Tensor m = tensor<float>({2, 2}, {1, 2, 3, 4}), v = tensor<float>({2}, {10, 20});
  EXPECT_TRUE(same(run_op1("Einsum", {m}, equation("ii")), scalar(5)));
  EXPECT_TRUE(same(run_op1("Einsum", {m}, equation("ii->i")), tensor<float>({2}, {1, 4})));
  EXPECT_TRUE(same(run_op1("Einsum", {m}, equation("ij->ji")), tensor<float>({2, 2}, {1, 3, 2, 4})));
  EXPECT_TRUE(same(run_op1("Einsum", {v, v}, equation("i,j->ij")), tensor<float>({2, 2}, {100, 200, 200, 400})));
  EXPECT_TRUE(same(run_op1("Einsum", {m, v, v}, equation("ij,i,j->")), scalar(1 * 100 + 2 * 200 + 3 * 200 + 4 * 400)));
  EXPECT_TRUE(same(run_op1("Einsum", {m, v}, equation(" ba , a ")), tensor<float>({2}, {50, 110})));
}

TEST(Einsum, BadEquations) {
  const Tensor m = random(DataType::f32, {2, 3});
  for (const char* text : {"i", "ij->k", "ij->ii", "i-j", "ij,jk->ik", "..ij->i", "......ij"}) {
    EXPECT_TRUE(fails(run_op("Einsum", {m}, equation(text)), ErrorCode::InvalidArgument, "Einsum")) << text;
  }
  EXPECT_TRUE(fails(run_op("Einsum", {m, m}, equation("ij,jk->ik")), ErrorCode::InvalidArgument, "label 'j'"));
}

TEST(Det, BatchesAndSingular) {
  EXPECT_TRUE(close(run_op1("Det", {tensor<float>({2, 2, 2}, {0, 1, 1, 0, 1, 2, 2, 4})}), tensor<float>({2}, {-1, 0})));
  EXPECT_TRUE(fails(run_op("Det", {random(DataType::f32, {2, 3})}), ErrorCode::InvalidArgument, "square"));
}

TEST(MatMulShapes, Symbolic) {
  EXPECT_EQ(infer_text("MatMul", {Infer::symbolic(DataType::f32, "NxSxK"), Infer::symbolic(DataType::f32, "KxM")}), "f32 NxSxM");
  EXPECT_EQ(infer_text("MatMul", {Infer::symbolic(DataType::f32, "K"), Infer::symbolic(DataType::f32, "NxKxM")}), "f32 NxM");
  EXPECT_EQ(infer_text("Einsum", {Infer::symbolic(DataType::f32, "NxHxQxD"), Infer::symbolic(DataType::f32, "NxHxKxD")}, equation("bhqd,bhkd->bhqk")),
            "f32 NxHxQxK");
}

}  // namespace
}  // namespace fovea::testing
