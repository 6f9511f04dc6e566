// SPDX-License-Identifier: Apache-2.0
// Tokens that become channels-last pictures and tokens again: the transposes name axes and move nothing. That the numbers
// stay right is what compile() verifies end to end.
#include "compiler/plan_views.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "compiler/compile.h"
#include "ir/text.h"

namespace fovea::compiler {
namespace {

int count_steps(const Plan& plan, std::string_view op) {
  return static_cast<int>(std::count_if(plan.steps.begin(), plan.steps.end(), [&](const PlanStep& step) { return step.op == op; }));
}

Plan compiled(const char* text) {
  BuildOptions options;
  options.tuning = Tuning::None;
  return compile(ir::parse(text).value(), options).value();
}

// Depthwise convolution between two products, as in SegFormer's MLP.
TEST(PlanViews, TransposesToAndFromChannelsLastMoveNothing) {
  const Plan plan = compiled(R"(graph g(x: f32[1,35,16]) -> (y) {
    const w: f32[16,16] = rand(1, -1, 1)
    const f: f32[16,1,3,3] = rand(2, -1, 1)
    const picture: i64[4] = [1, 16, 5, 7]
    const tokens: i64[3] = [1, 16, 35]
    a = MatMul(x, w)
    t = Transpose(a) {perm=[0, 2, 1]}
    p = Reshape(t, picture)
    c = Conv(p, f) {group=16, pads=[1, 1, 1, 1]}
    r = Reshape(c, tokens)
    u = Transpose(r) {perm=[0, 2, 1]}
    y = MatMul(u, w)
  })");
  EXPECT_EQ(count_steps(plan, "Transpose"), 0);
  EXPECT_EQ(count_steps(plan, "fovea::reorder"), 0);
  EXPECT_EQ(count_steps(plan, "fovea::matmul"), 2);
}

TEST(PlanViews, TransposesThatMoveStay) {
  const Plan plan = compiled(R"(graph g(x: f32[2,3,4,5]) -> (y) {
    a = Softmax(x)
    t = Transpose(a) {perm=[0, 2, 3, 1]}
    y = Softmax(t)
  })");
  EXPECT_EQ(count_steps(plan, "Transpose"), 1);
}

}  // namespace
}  // namespace fovea::compiler
