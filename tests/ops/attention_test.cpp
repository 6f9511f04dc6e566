// SPDX-License-Identifier: Apache-2.0
// Attention, RotaryEmbedding, TensorScatter: what the ONNX node cases leave open.
#include <cmath>

#include "support/op_test.h"

namespace fovea::testing {
namespace {

using Infer = FakeInferContext;

TEST(Attention, EqualsItsParts) {
  const Tensor q = random(DataType::f32, {2, 4, 5, 8}, -1, 1, 1), k = random(DataType::f32, {2, 4, 7, 8}, -1, 1, 2);
  const Tensor v = random(DataType::f32, {2, 4, 7, 3}, -1, 1, 3), mask = random(DataType::f32, {5, 7}, -1, 1, 4);
  const Tensor kt = run_op1("Transpose", {k}, attributes({{"perm", std::vector<std::int64_t>{0, 1, 3, 2}}}));
  const Tensor scores = run_op1("Add", {run_op1("Mul", {run_op1("MatMul", {q, kt}), scalar(0.25)}), mask});
  const Tensor expected = run_op1("MatMul", {run_op1("Softmax", {scores}), v});
  EXPECT_TRUE(close(run_op1("Attention", {q, k, v, mask}, attributes({{"scale", 0.25}})), expected, {1e-5, 1e-6}));
}

TEST(Attention, PackedHeadsEqualSeparateOnes) {
  const Tensor q = random(DataType::f32, {1, 3, 8}), k = random(DataType::f32, {1, 5, 4}, -1, 1, 2), v = random(DataType::f32, {1, 5, 6}, -1, 1, 3);
  const Attributes heads = attributes({{"q_num_heads", 4}, {"kv_num_heads", 2}});
  const auto split = [](const Tensor& x, std::int64_t n) {
    const Tensor four = x.reshaped({1, x.dim(1), n, x.dim(2) / n});
    return run_op1("Transpose", {four}, attributes({{"perm", std::vector<std::int64_t>{0, 2, 1, 3}}}));
  };
  const Tensor separate = run_op1("Attention", {split(q, 4), split(k, 2), split(v, 2)});
  const Tensor joined = run_op1("Transpose", {separate}, attributes({{"perm", std::vector<std::int64_t>{0, 2, 1, 3}}}));
  EXPECT_TRUE(close(run_op1("Attention", {q, k, v}, heads), joined.reshaped({1, 3, 12}), {1e-6, 1e-7}));
}

TEST(Attention, RejectsWhatDoesNotFit) {
  const Tensor q = random(DataType::f32, {1, 4, 2, 8}), k = random(DataType::f32, {1, 3, 2, 8});
  EXPECT_TRUE(fails(run_op("Attention", {q, k, k}), ErrorCode::InvalidArgument, "do not fit together"));
  EXPECT_TRUE(fails(run_op("Attention", {q, q, q, random(DataType::f32, {3, 5})}), ErrorCode::InvalidArgument, "mask of shape 3x5"));
  EXPECT_TRUE(fails(run_op("Attention", {q, q, q, Datum(), q}), ErrorCode::InvalidArgument, "come together"));
  const Tensor packed = random(DataType::f32, {1, 2, 8});
  EXPECT_TRUE(fails(run_op("Attention", {packed, packed, packed}), ErrorCode::InvalidArgument, "0 heads"));
}

TEST(Attention, SymbolicShapes) {
  Infer context("Attention", attributes({{"q_num_heads", 8}, {"kv_num_heads", 2}}),
                {Infer::symbolic(DataType::f16, "NxSx512"), Infer::symbolic(DataType::f16, "NxTx128"), Infer::symbolic(DataType::f16, "NxTx128"),
                 Infer::missing(), Infer::symbolic(DataType::f16, "Nx2xPx64"), Infer::symbolic(DataType::f16, "Nx2xPx64")}, 4);
  ASSERT_TRUE(context.infer().ok());
  EXPECT_EQ(context.output_text(0), "f16 NxSx512");
  EXPECT_EQ(context.output_text(1), "f16 Nx2x(P+T)x64");
  EXPECT_EQ(context.output_text(3), "f16 Nx8xSx(P+T)");
}

TEST(RotaryEmbedding, RotatesByTheAngleOfThePosition) {
  const Tensor x = tensor<float>({1, 1, 2, 2}, {1, 0, 1, 0});
  const Tensor cosines = tensor<float>({2, 1}, {1, 0}), sines = tensor<float>({2, 1}, {0, 1});
  const Tensor ids = tensor<std::int64_t>({1, 2}, {1, 0});
  EXPECT_TRUE(same(run_op1("RotaryEmbedding", {x, cosines, sines, ids}), tensor<float>({1, 1, 2, 2}, {0, 1, 1, 0})));
  EXPECT_TRUE(fails(run_op("RotaryEmbedding", {x, cosines, sines, tensor<std::int64_t>({1, 2}, {2, 0})}), ErrorCode::InvalidArgument, "position id 2"));
  EXPECT_TRUE(fails(run_op("RotaryEmbedding", {x, cosines, sines}), ErrorCode::InvalidArgument, "do not fit"));
}

TEST(TensorScatter, WritesPerBatchEntry) {
  const Tensor past = tensor<float>({2, 3, 1}, {1, 2, 3, 4, 5, 6}), update = tensor<float>({2, 2, 1}, {10, 20, 30, 40});
  EXPECT_TRUE(same(run_op1("TensorScatter", {past, update, ints({1, 0})}), tensor<float>({2, 3, 1}, {1, 10, 20, 30, 40, 6})));
  const Attributes circular = attributes({{"mode", "circular"}});
  EXPECT_TRUE(same(run_op1("TensorScatter", {past, update, ints({2, 4})}, circular), tensor<float>({2, 3, 1}, {20, 2, 10, 4, 30, 40})));
  EXPECT_TRUE(fails(run_op("TensorScatter", {past, update, ints({2, 0})}), ErrorCode::InvalidArgument, "write index 2"));
  EXPECT_TRUE(fails(run_op("TensorScatter", {past, update, ints({-1, 0})}), ErrorCode::InvalidArgument, "write index -1"));
  EXPECT_TRUE(fails(run_op("TensorScatter", {past, update, ints({0})}), ErrorCode::InvalidArgument, "2 write indices"));
}

}  // namespace
}  // namespace fovea::testing
