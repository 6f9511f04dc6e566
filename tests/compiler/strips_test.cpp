// SPDX-License-Identifier: Apache-2.0
// Runs on reference kernels with and without strips: the same bits, less memory.
#include <gtest/gtest.h>

#include <cstring>

#include "compiler/compile.h"
#include "compiler/cut_into_strips.h"
#include "compiler/infer_shapes.h"
#include "compiler/samples.h"
#include "ir/text.h"
#include "runtime/executor.h"

namespace fovea::compiler {
namespace {

struct Run {
  Plan plan;
  std::vector<Tensor> outputs;
  std::size_t arena = 0;
};

Run run(const char* text, const std::vector<Shape>& shapes, bool in_strips) {
  ir::Graph graph = ir::parse(text).value();
  EXPECT_TRUE(infer_shapes(graph).ok());
  Decisions decisions;
  decisions.order = graph.topological_order();
  const BytesOf bytes = [&](ir::ValueId id) -> std::int64_t {
    const ir::Value& value = graph.value(id);
    const auto shape = value.shape ? evaluate(*value.shape, {{"N", 700}}) : Result<Shape>(Status(ErrorCode::NotFound, "no shape"));
    return shape.ok() ? shape->elements() * static_cast<std::int64_t>(size_of(value.type.element)) : 0;
  };
  if (in_strips) cut_into_strips(graph, bytes, decisions);
  Run result{lower(graph, decisions).value(), {}, 0};
  std::vector<Datum> inputs;
  for (std::size_t i = 0; i < shapes.size(); ++i) inputs.emplace_back(make_sample(DataType::f32, shapes[i], i + 1).value());
  Executor executor(result.plan, {.threads = 2});
  const Status status = executor.run(inputs);
  EXPECT_TRUE(status.ok()) << status.message();
  for (int i = 0; i < static_cast<int>(result.plan.outputs.size()); ++i) result.outputs.push_back(executor.output(i).tensor.clone().value());
  result.arena = executor.current()->arena_bytes();
  return result;
}

void expect_same_bits(const char* text, const std::vector<Shape>& shapes, int groups) {
  const Run whole = run(text, shapes, false), strips = run(text, shapes, true);
  EXPECT_EQ(static_cast<int>(strips.plan.strips.size()), groups);
  ASSERT_EQ(whole.plan.steps.size(), strips.plan.steps.size());
  for (std::size_t i = 0; i < whole.outputs.size(); ++i) {
    ASSERT_EQ(whole.outputs[i].shape(), strips.outputs[i].shape());
    EXPECT_EQ(std::memcmp(whole.outputs[i].raw(), strips.outputs[i].raw(), whole.outputs[i].bytes()), 0) << "output " << i;
  }
  if (groups > 0) {
    EXPECT_LT(strips.arena, whole.arena);
  }
}

// Three heads of a batch of two; 700 rows are no multiple of a strip's. A mask broadcasts over heads, a bias over all rows,
// and arithmetic on shapes stands between.
constexpr const char* kAttention = R"(graph g(q: f32[2,3,N,8], k: f32[2,3,8,1500], v: f32[2,3,1500,8], mask: f32[2,1,1,1500], row: f32[2,1,N,1]) -> (y, n) {
  const scale: f32[1] = [0.35]
  s = MatMul(q, k)
  n = Shape(v)
  a = Mul(s, scale)
  b = Add(a, mask)
  c = Add(row, b)
  p = Softmax(c) {axis=3}
  y = MatMul(p, v)
})";

TEST(Strips, AttentionNeverHoldsItsScores) {
  expect_same_bits(kAttention, {{2, 3, 700, 8}, {2, 3, 8, 1500}, {2, 3, 1500, 8}, {2, 1, 1, 1500}, {2, 1, 700, 1}}, 1);
  // At other extents than it was cut for.
  expect_same_bits(kAttention, {{2, 3, 1, 8}, {2, 3, 8, 1500}, {2, 3, 1500, 8}, {2, 1, 1, 1500}, {2, 1, 1, 1}}, 1);
}

// GELU as exporters write it, between two products, with a residual from before; its input is used twice.
TEST(Strips, FeedForwardBlock) {
  expect_same_bits(R"(graph g(x: f32[1,9000,16]) -> (y) {
    const w1: f32[16,256] = rand(1, -1, 1)
    const w2: f32[256,16] = rand(2, -1, 1)
    const gamma: f32[256] = rand(3, -1, 1)
    const beta: f32[256] = rand(4, -1, 1)
    const root: f32[1] = [1.41421356]
    const one: f32[1] = [1]
    const half: f32[1] = [0.5]
    h = MatMul(x, w1)
    l = LayerNormalization(h, gamma, beta) {axis=2}
    d = Div(l, root)
    e = Erf(d)
    f = Add(e, one)
    m = Mul(l, f)
    g = Mul(m, half)
    o = MatMul(g, w2)
    y = Add(o, x)
  })", {{1, 9000, 16}}, 1);
}

// What is read whole ends the strips: here the scores are the second factor, and a softmax runs over the rows.
TEST(Strips, WholeReadersStayOutside) {
  expect_same_bits(R"(graph g(a: f32[1500,8], b: f32[8,1600], c: f32[4,1500]) -> (y) {
    s = MatMul(a, b)
    t = Relu(s)
    y = MatMul(c, t)
  })", {{1500, 8}, {8, 1600}, {4, 1500}}, 1);
  expect_same_bits(R"(graph g(a: f32[1500,8], b: f32[8,1600]) -> (y) {
    s = MatMul(a, b)
    y = Softmax(s) {axis=0}
  })", {{1500, 8}, {8, 1600}}, 0);
}

TEST(Strips, OutputsOfTheGraphExistWhole) {
  expect_same_bits(R"(graph g(a: f32[1500,8], b: f32[8,1600]) -> (s, y) {
    s = MatMul(a, b)
    t = Exp(s)
    y = Relu(t)
  })", {{1500, 8}, {8, 1600}}, 1);
}

TEST(Strips, SmallValuesAreLeftAlone) {
  expect_same_bits(R"(graph g(a: f32[15,8], b: f32[8,16]) -> (y) {
    s = MatMul(a, b)
    y = Softmax(s)
  })", {{15, 8}, {8, 16}}, 0);
}

}  // namespace
}  // namespace fovea::compiler
