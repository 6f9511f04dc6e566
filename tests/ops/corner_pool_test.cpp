// SPDX-License-Identifier: Apache-2.0
// MMCVCornerPool: the four directions, NaN, and the tuned kernel.
#include <cmath>

#include "support/kernel_test.h"
#include "support/op_test.h"

namespace fovea::testing {
namespace {

Tensor pooled(const Tensor& x, int mode) { return run_op1("mmcv::MMCVCornerPool", {x}, attributes({{"mode", mode}})); }

TEST(CornerPool, FourDirections) {
  const Tensor row = tensor<float>({1, 1, 1, 5}, {2, 1, 3, 0, 2}),
               column = tensor<float>({1, 1, 5, 1}, {2, 1, 3, 0, 2});
  const Tensor falling = tensor<float>({1, 1, 1, 5}, {3, 3, 3, 2, 2}),
               rising = tensor<float>({1, 1, 1, 5}, {2, 2, 3, 3, 3});
  EXPECT_TRUE(same(pooled(row, 2), falling));
  EXPECT_TRUE(same(pooled(row, 3), rising));
  EXPECT_TRUE(same(pooled(column, 0), tensor<float>({1, 1, 5, 1}, {3, 3, 3, 2, 2})));
  EXPECT_TRUE(same(pooled(column, 1), tensor<float>({1, 1, 5, 1}, {2, 2, 3, 3, 3})));
  EXPECT_TRUE(same(pooled(row, 0), row));
  EXPECT_TRUE(
      same(pooled(tensor<Half>({1, 1, 1, 5}, {2, 1, 3, 0, 2}), 2), tensor<Half>({1, 1, 1, 5}, {3, 3, 3, 2, 2})));
}

TEST(CornerPool, NaNAndInfinities) {
  const double nan = std::nan(""), inf = std::numeric_limits<double>::infinity();
  EXPECT_TRUE(same(pooled(tensor<float>({1, 1, 1, 4}, {-inf, 1, nan, 5}), 3),
                   tensor<float>({1, 1, 1, 4}, {-inf, 1, nan, nan})));
}

TEST(CornerPool, ShapesAndErrors) {
  EXPECT_EQ(infer_text("mmcv::MMCVCornerPool", {FakeInferContext::symbolic(DataType::f16, "NxCxHxW")},
                       attributes({{"mode", 1}})),
            "f16 NxCxHxW");
  EXPECT_TRUE(fails(run_op("mmcv::MMCVCornerPool", {tensor<float>({1, 1, 1, 1}, {0})}, attributes({{"mode", 4}})),
                    ErrorCode::InvalidModel, "mode"));
  EXPECT_TRUE(fails(run_op("mmcv::MMCVCornerPool", {tensor<float>({1, 1}, {0})}, attributes({{"mode", 0}})),
                    ErrorCode::InvalidArgument, "rank 4"));
  EXPECT_EQ(pooled(Tensor::allocate(DataType::f32, {1, 0, 3, 3}).value(), 0).elements(), 0);
}

TEST(CornerPoolKernel, AgreesWithTheReference) {
  for (int mode = 0; mode < 4; ++mode) {
    for (const Layout layout : {Layout::plain, Layout::nhwc}) {
      for (const Shape& shape : {Shape{1, 1, 1, 1}, Shape{2, 3, 7, 9}, Shape{1, 20, 33, 70}}) {
        Tensor x = random(DataType::f32, shape);
        x.data<float>()[x.elements() / 2] = std::nanf("");
        KernelCase test{.op = "mmcv::MMCVCornerPool", .attributes = attributes({{"mode", mode}}), .inputs = {x}};
        test.layout = layout;
        EXPECT_TRUE(agrees(test)) << mode << " " << static_cast<int>(layout) << " " << shape.to_string();
        test.threads = 1;
        EXPECT_TRUE(agrees(test)) << mode << " " << static_cast<int>(layout) << " " << shape.to_string();
      }
    }
  }
}

}  // namespace
}  // namespace fovea::testing
