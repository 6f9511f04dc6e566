// SPDX-License-Identifier: Apache-2.0
// Reductions: axes in any order, empty sets, extremes of the types; and errors.
#include <cmath>
#include <limits>

#include "support/op_test.h"

namespace fovea::testing {
namespace {

using Infer = FakeInferContext;

// Every combination of axes against sums taken element by element.
TEST(ReduceSum, AllSetsOfAxes) {
  const Shape shape{2, 3, 1, 4};
  const Tensor x = random(DataType::f32, shape, -2, 2);
  for (int set = 1; set < 16; ++set) {
    Tensor axes = Tensor::allocate(DataType::i64, {__builtin_popcount(static_cast<unsigned>(set))}).value();
    Shape kept = shape;
    std::int64_t* at = axes.data<std::int64_t>();
    for (int axis = 3; axis >= 0; --axis) {
      if (set >> axis & 1) *at++ = axis % 2 ? axis - 4 : axis, kept[axis] = 1;
    }
    Tensor expected = Tensor::allocate(DataType::f32, kept).value();
    for (std::int64_t i = 0; i < x.elements(); ++i) {
      std::int64_t rest = i, to = 0, stride = 1;
      for (int axis = 3; axis >= 0; --axis) {
        if (!(set >> axis & 1)) to += rest % shape[axis] * stride, stride *= shape[axis];
        rest /= shape[axis];
      }
      expected.data<float>()[to] += x.data<float>()[i];
    }
    EXPECT_TRUE(close(run_op1("ReduceSum", {x, axes}), expected, {1e-5, 1e-6})) << "axes " << set;
  }
}

TEST(ReduceSum, NoAxes) {
  const Tensor x = tensor<float>({2, 2}, {1, 2, 3, 4});
  EXPECT_TRUE(same(run_op1("ReduceSum", {x}), tensor<float>({1, 1}, {10})));
  EXPECT_TRUE(same(run_op1("ReduceSum", {x, ints({})}, attributes({{"noop_with_empty_axes", 1}})), x));
  EXPECT_TRUE(same(run_op1("ReduceSumSquare", {x}, attributes({{"noop_with_empty_axes", 1}})), tensor<float>({2, 2}, {1, 4, 9, 16})));
  EXPECT_TRUE(same(run_op1("ReduceSum", {scalar(3)}, attributes({{"keepdims", 0}})), scalar(3)));
}

TEST(ReduceSum, ManySmallNumbersKeepTheirSum) {
  Tensor x = Tensor::allocate(DataType::f32, {1 << 20}).value();
  for (float& value : x.values<float>()) value = 0.1f;
  const double expected = static_cast<double>(0.1f) * (1 << 20);
  EXPECT_TRUE(close(run_op1("ReduceSum", {x}, attributes({{"keepdims", 0}})), scalar(expected), {1e-7, 0}));
  EXPECT_TRUE(close(run_op1("ReduceMean", {x}, attributes({{"keepdims", 0}})), scalar(0.1f), {1e-7, 0}));
}

TEST(Reduce, EmptySets) {
  const Tensor floats = Tensor::allocate(DataType::f32, {2, 0}).value(), integers = Tensor::allocate(DataType::i32, {2, 0}).value();
  const auto over_last = [](const char* op, const Tensor& x) { return run_op1(op, {x, ints({1})}, attributes({{"keepdims", 0}})); };
  EXPECT_TRUE(same(over_last("ReduceSum", floats), tensor<float>({2}, {0, 0})));
  EXPECT_TRUE(same(over_last("ReduceProd", floats), tensor<float>({2}, {1, 1})));
  EXPECT_TRUE(same(over_last("ReduceMax", floats), tensor<float>({2}, {-INFINITY, -INFINITY})));
  EXPECT_TRUE(same(over_last("ReduceMin", floats), tensor<float>({2}, {INFINITY, INFINITY})));
  EXPECT_TRUE(same(over_last("ReduceLogSumExp", floats), tensor<float>({2}, {-INFINITY, -INFINITY})));
  EXPECT_TRUE(same(over_last("ReduceMax", integers), tensor<std::int32_t>({2}, {-2147483648.0, -2147483648.0})));
  EXPECT_TRUE(same(over_last("ReduceMin", Tensor::allocate(DataType::boolean, {2, 0}).value()), tensor<bool>({2}, {1, 1})));
}

TEST(Reduce, IntegersAreExact) {
  const std::int64_t big = (std::int64_t{1} << 53) + 1;
  const Tensor x = tensor<std::int64_t, std::int64_t>({2}, {big, 2});
  EXPECT_TRUE(same(run_op1("ReduceSum", {x}), tensor<std::int64_t, std::int64_t>({1}, {big + 2})));
  EXPECT_TRUE(same(run_op1("ReduceMax", {x}), tensor<std::int64_t, std::int64_t>({1}, {big})));
  EXPECT_TRUE(same(run_op1("ReduceL1", {tensor<std::int32_t>({2}, {-3, 4})}), tensor<std::int32_t>({1}, {7})));
  EXPECT_TRUE(same(run_op1("ReduceL2", {tensor<std::int32_t>({2}, {-3, 4})}), tensor<std::int32_t>({1}, {5})));
}

TEST(ReduceLogSumExp, DoesNotOverflow) {
  EXPECT_TRUE(close(run_op1("ReduceLogSumExp", {tensor<float>({2}, {1000, 1000})}), tensor<float>({1}, {1000 + std::log(2.0)}), {1e-6, 0}));
  EXPECT_TRUE(close(run_op1("ReduceLogSumExp", {tensor<float>({2}, {-1000, -1000})}), tensor<float>({1}, {-1000 + std::log(2.0)}), {1e-6, 0}));
}

TEST(Reduce, BadAxes) {
  const Tensor x = tensor<float>({2, 2}, {1, 2, 3, 4});
  EXPECT_TRUE(fails(run_op("ReduceSum", {x, ints({2})}), ErrorCode::InvalidArgument, "axis 2 is out of range for rank 2"));
  EXPECT_TRUE(fails(run_op("ReduceSum", {x, ints({0, -2})}), ErrorCode::InvalidArgument, "given twice"));
  EXPECT_TRUE(fails(run_op("ReduceSum", {tensor<bool>({1}, {1})}), ErrorCode::Unsupported, "bool"));
}

TEST(ArgMax, TiesAndNan) {
  const Tensor x = tensor<float>({5}, {1, 3, 3, 0, 3});
  EXPECT_TRUE(same(run_op1("ArgMax", {x}), ints({1})));
  EXPECT_TRUE(same(run_op1("ArgMax", {x}, attributes({{"select_last_index", 1}})), ints({4})));
  EXPECT_TRUE(same(run_op1("ArgMax", {tensor<float>({3}, {1, NAN, 5})}), ints({1})));
  EXPECT_TRUE(same(run_op1("ArgMin", {tensor<float>({2, 2}, {1, 2, 0, 3})}, attributes({{"axis", -2}, {"keepdims", 0}})), ints({1, 0})));
  EXPECT_TRUE(fails(run_op("ArgMax", {Tensor::allocate(DataType::f32, {0, 2}).value()}), ErrorCode::InvalidArgument, "is empty"));
}

TEST(ReduceShapes, Symbolic) {
  const auto x = Infer::symbolic(DataType::f32, "NxCxHxW");
  EXPECT_EQ(infer_text("ReduceMean", {x, Infer::constant(ints({2, -1}))}), "f32 NxCx1x1");
  EXPECT_EQ(infer_text("ReduceMean", {x, Infer::constant(ints({2, 3}))}, attributes({{"keepdims", 0}})), "f32 NxC");
  EXPECT_EQ(infer_text("ReduceMean", {x, Infer::symbolic(DataType::i64, "K")}), "f32 ?");
  EXPECT_EQ(infer_text("ArgMax", {x}, attributes({{"axis", 1}, {"keepdims", 0}})), "i64 NxHxW");
  Infer product("ReduceProd", attributes({{"keepdims", 0}}), {Infer::dims({"N", "3", "H"})}, 1);
  ASSERT_TRUE(product.infer().ok());
  EXPECT_EQ(product.value_text(), "[3*H*N]");
}

}  // namespace
}  // namespace fovea::testing
