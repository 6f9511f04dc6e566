// SPDX-License-Identifier: Apache-2.0
// The operator harness itself, on Identity.
#include "support/op_test.h"

namespace fovea::testing {
namespace {

TEST(OpHarness, RunsAndComparesIdentity) {
  const Tensor x = tensor<float>({2, 2}, {1, 2, 3, 4});
  EXPECT_TRUE(same(run_op1("Identity", {x}), x));
  EXPECT_FALSE(same(run_op1("Identity", {x}), tensor<float>({2, 2}, {1, 2, 3, 5})));
  EXPECT_FALSE(same(run_op1("Identity", {x}), tensor<float>({4}, {1, 2, 3, 4})));
  EXPECT_TRUE(same(run_op1("Identity", {strings({1}, {"a"})}), strings({1}, {"a"})));
}

TEST(OpHarness, SymbolicShapes) {
  EXPECT_EQ(infer_text("Identity", {FakeInferContext::symbolic(DataType::f16, "Nx3xH+1")}), "f16 Nx3x(H+1)");
  EXPECT_EQ(infer_text("Identity", {FakeInferContext::symbolic(DataType::f16, "?")}), "f16 ?");
  FakeInferContext context("Identity", {}, {FakeInferContext::dims({"N", "2*H"})}, 1);
  EXPECT_TRUE(context.infer().ok());
  EXPECT_EQ(context.value_text(), "[N, 2*H]");
}

TEST(OpHarness, ReportsErrors) {
  EXPECT_TRUE(fails(run_op("Identity", {}), ErrorCode::InvalidModel, "expected 1 inputs"));
  EXPECT_TRUE(fails(run_op("NoSuchOp", {}), ErrorCode::NotFound, "NoSuchOp"));
}

}  // namespace
}  // namespace fovea::testing
