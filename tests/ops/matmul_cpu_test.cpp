// SPDX-License-Identifier: Apache-2.0
// Matrix products against the references: batches, transposes, biases, residuals, activations.
#include "support/kernel_test.h"

namespace fovea {
namespace {

using namespace testing;

struct MatMulCase {
  Shape a, b;
  Shape c = {};
  bool has_c = false;
  int trans_a = 0, trans_b = 0;
  double scale = 1;
  const char* activation = "none";
  const char* residual = "none";
  Shape y = {};
};

TEST(MatMulCpu, FusedForms) {
  const std::vector<MatMulCase> cases = {
      {{5, 7}, {7, 9}},
      {{2, 5, 33}, {33, 20}, {20}, true, 0, 0, 1, "gelu"},
      {{2, 5, 33}, {20, 33}, {20}, true, 0, 1, 1, "relu", "before", {2, 5, 20}},
      {{2, 3, 5, 8}, {2, 3, 8, 5}, {}, false, 0, 0, 0.25},
      {{2, 3, 5, 8}, {2, 3, 6, 8}, {2, 1, 5, 6}, true, 0, 1, 0.25},
      {{4, 1, 5, 8}, {3, 8, 6}},
      {{8, 5}, {8, 6}, {}, false, 1, 0, 2, "silu", "after", {5, 6}},
      {{17}, {17, 4}},
      {{3, 4, 17}, {17}},
      {{1, 1280}, {1000, 1280}, {1000}, true, 0, 1},
  };
  for (const MatMulCase& c : cases) {
    for (bool constant : {true, false}) {
      KernelCase test{.op = "fovea::matmul"};
      test.inputs = {random(DataType::f32, c.a), random(DataType::f32, c.b, -1, 1, 2)};
      test.inputs.push_back(c.has_c ? random(DataType::f32, c.c, -1, 1, 3) : Tensor());
      if (std::string_view(c.residual) != "none") test.inputs.push_back(random(DataType::f32, c.y, -1, 1, 4));
      test.attributes = attributes({{"transA", c.trans_a}, {"transB", c.trans_b}, {"scale", c.scale}, {"activation", c.activation}, {"residual", c.residual}});
      if (constant) test.constants = {1};
      EXPECT_TRUE(agrees(test)) << c.a.to_string() << " by " << c.b.to_string() << (constant ? ", packed" : "");
    }
  }
}

TEST(MatMulCpu, OnnxOperators) {
  KernelCase gemm{.op = "Gemm", .attributes = attributes({{"alpha", 0.5}, {"transB", 1}})};
  gemm.inputs = {random(DataType::f32, {6, 40}), random(DataType::f32, {10, 40}, -1, 1, 2), random(DataType::f32, {10}, -1, 1, 3)};
  gemm.constants = {1, 2};
  EXPECT_TRUE(agrees(gemm));
  KernelCase product{.op = "MatMul"};
  product.inputs = {random(DataType::f32, {2, 6, 40}), random(DataType::f32, {2, 40, 3}, -1, 1, 2)};
  EXPECT_TRUE(agrees(product));
}

}  // namespace
}  // namespace fovea
