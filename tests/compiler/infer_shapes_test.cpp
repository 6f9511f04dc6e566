// SPDX-License-Identifier: Apache-2.0
// Shape inference over graphs in text form: what every value ends up with, and the errors.
#include "compiler/infer_shapes.h"

#include <gtest/gtest.h>

#include "ir/text.h"

namespace fovea::compiler {
namespace {

ir::Graph parsed(const char* text) {
  auto graph = ir::parse(text);
  EXPECT_TRUE(graph.ok()) << graph.status().to_string();
  return graph.ok() ? *std::move(graph) : ir::Graph();
}

std::string shape_of(const ir::Graph& graph, const char* name) {
  const ir::ValueId id = graph.find_value(name);
  if (id == ir::kNone) return "no such value";
  return graph.value(id).shape ? to_string(*graph.value(id).shape) : "?";
}

/// Infers and returns the shape of value y, or the error's message.
std::string y_of(const char* text) {
  ir::Graph graph = parsed(text);
  const Status status = infer_shapes(graph);
  return status.ok() ? shape_of(graph, "y") : status.message();
}

TEST(InferShapes, FollowsShapeArithmeticToAReshape) {
  EXPECT_EQ(y_of(R"(graph g(x: f32[N,8,H,W]) -> (y) {
    const zero: i64[] = [0]
    const ax: i64[1] = [0]
    const tail: i64[2] = [4, -1]
    s = Shape(x)
    n = Gather(s, zero) {axis=0}
    n1 = Unsqueeze(n, ax)
    t = Concat(n1, tail) {axis=0}
    y = Reshape(x, t)
  })"), "Nx4x(2*H*W)");
}

TEST(InferShapes, ReshapesBackAfterFlattening) {
  EXPECT_EQ(y_of(R"(graph g(x: f32[N,3,H,W]) -> (y) {
    const flat: i64[3] = [0, 3, -1]
    s = Shape(x)
    f = Reshape(x, flat)
    y = Reshape(f, s)
  })"), "Nx3xHxW");
}

TEST(InferShapes, GivesHalvesOfASymbolicAxisExactly) {
  EXPECT_EQ(y_of(R"(graph g(x: f32[1,3,H,W]) -> (y) {
    const st: i64[2] = [0, 1]
    const en: i64[2] = [9223372036854775807, 9223372036854775807]
    const ax: i64[2] = [2, 3]
    const step: i64[2] = [2, 2]
    y = Slice(x, st, en, ax, step)
  })"), "1x3x(floordiv(H+1,2))x(floordiv(W,2))");
}

TEST(InferShapes, KeepsTheMorePreciseOfDeclaredAndInferred) {
  ir::Graph graph = parsed(R"(graph g(x: f32[N,8]) -> (y, z) {
    y: f32[4,M] = Identity(x)
    c: i64[2,K] = NonZero(x)
    z = Identity(c)
  })");
  ASSERT_TRUE(infer_shapes(graph).ok());
  EXPECT_EQ(shape_of(graph, "y"), "4x8");
}

TEST(InferShapes, NamesNodeAndValueOfAContradiction) {
  EXPECT_EQ(y_of("graph g(x: f32[2,8]) -> (y) { y: f32[2,9] = Identity(x) as \"bad\" }"),
            "node 'bad' (Identity): value 'y' is declared as 2x9 but inferred as 2x8");
  EXPECT_EQ(y_of("graph g(x: f32[2,8]) -> (y) { y: i64[2,8] = Identity(x) as \"bad\" }"),
            "node 'bad' (Identity): value 'y' is declared with element type i64 but inferred with f32");
  EXPECT_EQ(y_of("graph g(x: f32[2,8]) -> (y) { y = Transpose(x) {perm=[0,2]} as \"t\" }"),
            "node 't' (Transpose): axis 2 is out of range for rank 2");
}

TEST(InferShapes, SecondRunChangesNothing) {
  ir::Graph graph = parsed(R"(graph g(x: f32[N,8], r: i64[3]) -> (y) {
    t = Reshape(x, r)
    y = Concat(t, t) {axis=0}
  })");
  ASSERT_TRUE(infer_shapes(graph).ok());
  const std::string first = ir::print(graph);
  ASSERT_TRUE(infer_shapes(graph).ok());
  EXPECT_EQ(ir::print(graph), first);
  EXPECT_EQ(shape_of(graph, "y"), "(2*reshape_0)xreshape_1xreshape_2");
}

TEST(InferShapes, ExpressionsOfHostileModelsStayShort) {
  std::string text = "graph g(x: f32[a,b,c,d]) -> (y) {\n  s0 = Identity(x)\n";
  for (int i = 0; i < 40; ++i) text += str_cat("  s", i + 1, " = Concat(s", i, ", s", i, ") {axis=", i % 4, "}\n  t", i, " = Shape(s", i + 1, ")\n  s", i + 1, "r = Tile(s", i + 1, ", t", i, ")\n");
  ir::Graph graph = parsed((text + "  y = Size(s40r)\n}").c_str());
  EXPECT_TRUE(infer_shapes(graph).ok());
}

TEST(FoldPropagatedValues, MakesConstantsOfKnownElementsOnly) {
  ir::Graph graph = parsed(R"(graph g(x: f32[N,8,6]) -> (y, z) {
    s = Shape(x)
    tail = Shape(x) {start=1}
    y = Identity(tail)
    z = Identity(s)
  })");
  const auto folded = fold_propagated_values(graph);
  ASSERT_TRUE(folded.ok());
  EXPECT_EQ(*folded, 2);
  EXPECT_TRUE(graph.value(graph.find_value("y")).is_constant());
  EXPECT_FALSE(graph.value(graph.find_value("z")).is_constant());
  EXPECT_EQ(graph.value(graph.find_value("y")).constant.data<std::int64_t>()[1], 6);
}

}  // namespace
}  // namespace fovea::compiler
