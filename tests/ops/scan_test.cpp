// SPDX-License-Identifier: Apache-2.0
// Running sums, products and extremes: directions, axes, ties, NaN; the tuned kernel of cummax and cummin.
#include <cmath>
#include <limits>

#include "support/kernel_test.h"

namespace fovea {
namespace {

using namespace testing;
using Infer = FakeInferContext;

TEST(CumSum, DirectionsAndAxes) {
  const Tensor x = tensor<std::int32_t>({2, 3}, {1, 2, 3, 4, 5, 6});
  EXPECT_TRUE(same(run_op1("CumSum", {x, scalar<std::int32_t>(1)}), tensor<std::int32_t>({2, 3}, {1, 3, 6, 4, 9, 15})));
  EXPECT_TRUE(same(run_op1("CumSum", {x, scalar<std::int64_t>(-2)}, attributes({{"exclusive", 1}})), tensor<std::int32_t>({2, 3}, {0, 0, 0, 1, 2, 3})));
  EXPECT_TRUE(same(run_op1("CumProd", {x, scalar<std::int64_t>(1)}, attributes({{"reverse", 1}})), tensor<std::int32_t>({2, 3}, {6, 6, 3, 120, 30, 6})));
  EXPECT_TRUE(fails(run_op("CumSum", {x, scalar<std::int64_t>(2)}), ErrorCode::InvalidArgument, "axis 2"));
}

/// Values and indices of one line, as a list each.
::testing::AssertionResult running(const char* op, const Tensor& x, const Tensor& values, const Tensor& indices) {
  const auto found = run_op(op, {x}, attributes({{"dim", -1}}), 2);
  if (!found.ok()) return ::testing::AssertionFailure() << found.status().message();
  const auto first = same((*found)[0], values);
  return first ? same((*found)[1], indices) : first;
}

TEST(CumMax, LastOfEqualsCounts) {
  EXPECT_TRUE(running("mmcv::cummax", tensor<float>({6}, {1, 3, 3, 2, 4, 4}), tensor<float>({6}, {1, 3, 3, 3, 4, 4}), ints({0, 1, 2, 2, 4, 5})));
  EXPECT_TRUE(running("mmcv::cummin", tensor<float>({6}, {4, 2, 2, 3, 1, 1}), tensor<float>({6}, {4, 2, 2, 2, 1, 1}), ints({0, 1, 2, 2, 4, 5})));
  EXPECT_TRUE(running("mmcv::cummax", tensor<float>({2}, {0.0, -0.0}), tensor<float>({2}, {0, 0}), ints({0, 1})));
}

TEST(CumMax, NanIsKeptAndReplacedByNan) {
  const Tensor x = tensor<float>({5}, {1, NAN, 5, NAN, 7}), values = tensor<float>({5}, {1, NAN, NAN, NAN, NAN});
  for (const char* op : {"mmcv::cummax", "mmcv::cummin"}) EXPECT_TRUE(running(op, x, values, ints({0, 1, 1, 3, 3}))) << op;
}

TEST(CumMax, TypesAxesAndScalars) {
  const Tensor x = tensor<std::int8_t>({2, 3}, {5, -1, 2, 4, 3, 2});
  const auto down = run_op("mmcv::cummin", {x}, attributes({{"dim", 0}}), 2);
  ASSERT_TRUE(down.ok()) << down.status().message();
  EXPECT_TRUE(same((*down)[0], tensor<std::int8_t>({2, 3}, {5, -1, 2, 4, -1, 2})));
  EXPECT_TRUE(same((*down)[1], tensor<std::int64_t>({2, 3}, {0, 0, 0, 1, 0, 1})));
  const Tensor big = tensor<std::uint64_t>({2}, {1.0, 0x1p63});
  EXPECT_TRUE(running("mmcv::cummax", big, big, ints({0, 1})));
  EXPECT_TRUE(running("mmcv::cummax", tensor<Half>({3}, {1, 2, 0}), tensor<Half>({3}, {1, 2, 2}), ints({0, 1, 1})));
  EXPECT_TRUE(running("mmcv::cummax", scalar(3), scalar(3), scalar<std::int64_t>(0)));
  EXPECT_TRUE(running("mmcv::cummax", tensor<float>({2, 0}, {}), tensor<float>({2, 0}, {}), tensor<std::int64_t>({2, 0}, {})));
  EXPECT_TRUE(same(run_op1("mmcv::cummax", {x}), tensor<std::int8_t>({2, 3}, {5, -1, 2, 5, 3, 2})));
  EXPECT_TRUE(fails(run_op("mmcv::cummax", {x}, attributes({{"dim", 2}}), 2), ErrorCode::InvalidArgument, "axis 2"));
  EXPECT_TRUE(fails(run_op("mmcv::cummax", {scalar(3)}, attributes({{"dim", 1}}), 2), ErrorCode::InvalidArgument, "axis 1"));
}

TEST(CumMax, Shapes) {
  Infer context("mmcv::cummax", attributes({{"dim", -2}}), {Infer::symbolic(DataType::bf16, "NxH+1")}, 2);
  ASSERT_TRUE(context.infer().ok());
  EXPECT_EQ(context.output_text(0), "bf16 Nx(H+1)");
  EXPECT_EQ(context.output_text(1), "i64 Nx(H+1)");
  EXPECT_EQ(infer_text("mmcv::cummax", {Infer::symbolic(DataType::f32, "N")}, attributes({{"dim", 1}})), "axis 1 is out of range for rank 1");
}

TEST(CumMaxCpu, EveryAxisOddExtents) {
  for (const char* op : {"mmcv::cummax", "mmcv::cummin"}) {
    for (DataType type : {DataType::f32, DataType::i32}) {
      for (const Shape& shape : {Shape{3, 7, 5, 37}, Shape{1}, Shape{100, 1, 3}, Shape{2, 300}, Shape{}}) {
        for (int dim = 0; dim < std::max(1, shape.rank()); ++dim) {
          KernelCase test{.op = op, .attributes = attributes({{"dim", dim}})};
          // Few different values, so that ties are common.
          test.inputs = {random(type, shape, -3, 4)};
          test.num_outputs = 2;
          for (int threads : {1, 2, 5}) {
            test.threads = threads;
            EXPECT_TRUE(agrees(test, "running_extreme")) << op << " " << name(type) << " " << shape.to_string() << " along " << dim << ", threads " << threads;
          }
        }
      }
    }
  }
}

TEST(CumMaxCpu, NanAndInfinity) {
  Tensor x = random(DataType::f32, {5, 70, 33});
  for (std::int64_t i = 0; i < x.elements(); i += 211) x.data<float>()[i] = i % 2 ? NAN : std::numeric_limits<float>::infinity();
  for (const char* op : {"mmcv::cummax", "mmcv::cummin"}) {
    for (int dim : {0, 1, 2}) {
      KernelCase test{.op = op, .attributes = attributes({{"dim", dim}}), .inputs = {x}};
      test.num_outputs = 2;
      EXPECT_TRUE(agrees(test, "running_extreme")) << op << " along " << dim;
    }
  }
}

TEST(CumMaxCpu, OtherTypesRunOnTheReference) {
  KernelCase test{.op = "mmcv::cummax", .inputs = {random(DataType::f64, {4})}};
  test.num_outputs = 2;
  EXPECT_NE(refusal(test, "running_extreme").find("f32 and i32"), std::string::npos);
}

}  // namespace
}  // namespace fovea
