// SPDX-License-Identifier: Apache-2.0
// Elementwise references on channels-last values: they work where the values lie, and give the bits of the plain run.
#include <gtest/gtest.h>

#include <cstring>

#include "compiler/assign_layouts.h"
#include "compiler/infer_shapes.h"
#include "compiler/lower.h"
#include "compiler/samples.h"
#include "ir/text.h"
#include "runtime/executor.h"

namespace fovea::compiler {
namespace {

// Two convolutions make their neighbourhood channels last. Beside whole tensors: a scalar, a vector of channels and one
// along the width, which stands last without being the channels.
constexpr const char* kText = R"(graph g(x: f32[2,5,6,7]) -> (y) {
  const w: f32[8,5,3,3] = rand(1, -1, 1)
  const v: f32[4,8,1,1] = rand(2, -1, 1)
  const k: f32[1] = [0.35]
  const c: f32[8,1,1] = rand(3, -1, 1)
  const t: f32[7] = rand(4, -1, 1)
  const u: f32[6,7] = rand(5, -1, 1)
  a = Conv(x, w) {pads=[1, 1, 1, 1]}
  s = Sigmoid(a)
  m = Mul(a, s)
  n = Mul(k, m)
  b = Add(n, c)
  d = Sub(b, t)
  e = Add(d, u)
  z = Conv(e, v)
  y = Relu(z)
})";

Tensor run(const ir::Graph& graph, const Tensor& x, int& in_memory_order) {
  const Plan plan = lower(graph).value();
  Executor executor(plan, {.threads = 2});
  const std::vector<Datum> inputs{Datum(x)};
  EXPECT_TRUE(executor.run(inputs).ok());
  in_memory_order = 0;
  for (const PreparedStep& step : executor.current()->steps()) {
    in_memory_order += step.in_memory_order;
    EXPECT_TRUE(!step.in_memory_order || (step.before.empty() && step.after.empty()));
  }
  return executor.output(0).tensor.clone().value();
}

TEST(ReferenceLayout, ElementwiseWorkNeedsNoCopies) {
  ir::Graph graph = ir::parse(kText).value();
  ASSERT_TRUE(infer_shapes(graph).ok());
  const Tensor x = make_sample(DataType::f32, {2, 5, 6, 7}, 1).value();
  int steps = 0;
  const Tensor plain = run(graph, x, steps);
  EXPECT_EQ(steps, 0);
  ASSERT_TRUE(assign_layouts(graph, "cpu").ok());
  const Tensor last = run(graph, x, steps);
  EXPECT_EQ(steps, 6);  // all but the one beside a plane of two axes; Relu's output is the graph's, reordered by its own step
  EXPECT_EQ(std::memcmp(plain.raw(), last.raw(), plain.bytes()), 0);
}

}  // namespace
}  // namespace fovea::compiler
