// SPDX-License-Identifier: Apache-2.0
// Dynamic shapes, views, bound memory and errors, through the public Session.
#include "runtime/executor.h"

#include <gtest/gtest.h>

#include "compiler/compile.h"
#include "compiler/samples.h"
#include "fovea/session.h"
#include "ir/text.h"

namespace fovea {
namespace {

Engine build_engine(const char* text, BuildOptions options = {}) {
  options.tuning = Tuning::None;
  return Engine(std::make_shared<const Plan>(compiler::compile(ir::parse(text).value(), options).value()));
}

Tensor sample(const Shape& shape, std::uint64_t seed = 1) { return make_sample(DataType::f32, shape, seed).value(); }

constexpr const char* kDynamic = R"(
graph g(x: f32[N,4,H,W]) -> (y) {
  const w: f32[6,4,3,3] = rand(1, -1, 1)
  const shape: i64[3] = [0, 6, -1]
  c = Conv(x, w) {pads=[1,1,1,1]}
  r = Relu(c)
  y = Reshape(r, shape)
})";

TEST(Session, OneEngineServesManyShapes) {
  const Engine engine = build_engine(kDynamic);
  Session session = Session::create(engine).value();
  for (int round = 0; round < 2; ++round) {
    for (const Shape& shape : {Shape{1, 4, 8, 8}, Shape{3, 4, 5, 7}, Shape{2, 4, 16, 3}, Shape{1, 4, 1, 1}, Shape{1, 4, 9, 9}}) {
      const Tensor input = sample(shape);
      ASSERT_TRUE(session.set_input("x", input).ok());
      ASSERT_TRUE(session.run().ok());
      const Tensor output = session.output("y").value();
      EXPECT_EQ(output.shape(), (Shape{shape[0], 6, shape[2] * shape[3]}));
    }
  }
}

TEST(Session, WritesIntoBoundMemory) {
  const Engine engine = build_engine(kDynamic);
  Session session = Session::create(engine).value();
  const Tensor input = sample({1, 4, 8, 8});
  ASSERT_TRUE(session.set_input("x", input).ok());
  ASSERT_TRUE(session.run().ok());
  const Tensor own = session.output("y").value().clone().value();
  Tensor bound = Tensor::allocate(DataType::f32, own.shape()).value();
  ASSERT_TRUE(session.bind_output("y", bound).ok());
  ASSERT_TRUE(session.run().ok());
  EXPECT_EQ(session.output("y").value().raw(), bound.raw());
  EXPECT_TRUE(std::equal(own.data<float>(), own.data<float>() + own.elements(), bound.data<float>()));
  ASSERT_TRUE(session.bind_output("y", Tensor::allocate(DataType::f32, {1}).value()).ok());
  EXPECT_EQ(session.run().code(), ErrorCode::InvalidArgument);
}

TEST(Session, SaysWhatIsWrongWithAnInput) {
  const Engine engine = build_engine(kDynamic);
  Session session = Session::create(engine).value();
  EXPECT_NE(session.run().message().find("'x' is not set"), std::string::npos);
  EXPECT_NE(session.set_input("z", sample({1})).message().find("'x'"), std::string::npos);
  EXPECT_NE(session.set_input("x", sample({1, 4})).message().find("Nx4xHxW"), std::string::npos);
  ASSERT_TRUE(session.set_input("x", sample({1, 5, 8, 8})).ok());
  EXPECT_NE(session.run().message().find("1x5x8x8"), std::string::npos);
}

TEST(Session, ShapesOutsideTheBuiltRangeAreRefused) {
  BuildOptions options;
  options.shapes["x"] = {{1, 4, 8, 8}, {1, 4, 8, 8}, {2, 4, 16, 16}};
  const Engine engine = build_engine(kDynamic, options);
  Session session = Session::create(engine).value();
  ASSERT_TRUE(session.set_input("x", sample({3, 4, 8, 8})).ok());
  EXPECT_NE(session.run().message().find("1 to 2"), std::string::npos);
}

TEST(Session, DataDependentShapesFlowOn) {
  const Engine engine = build_engine(R"(
graph g(x: f32[N]) -> (y, n) {
  i = NonZero(x)
  t = Transpose(i) {perm=[1,0]}
  const zero: f32[] = 0
  f = Cast(t) {to=1}
  y = Add(f, zero)
  n = Shape(t)
})");
  Session session = Session::create(engine).value();
  std::vector<float> values = {0, 1, 0, 2, 3};
  Tensor input = Tensor::borrow(DataType::f32, {5}, values.data());
  ASSERT_TRUE(session.set_input("x", input).ok());
  ASSERT_TRUE(session.run().ok());
  EXPECT_EQ(session.output("y").value().shape(), (Shape{3, 1}));
  values = {0, 0, 0, 0, 7};
  ASSERT_TRUE(session.run().ok());
  EXPECT_EQ(session.output("y").value().shape(), (Shape{1, 1}));
  EXPECT_EQ(session.output("y").value().data<float>()[0], 4.0f);
}

TEST(Session, LoopsAndBranchesRun) {
  const Engine engine = build_engine(R"(
graph g(x: f32[2], n: i64[]) -> (y) {
  const yes: bool[] = 1
  y = Loop(n, yes, x, x) {captures=1}
    graph body(i: i64[], c: bool[], v: f32[2], x0: f32[2]) -> (c2, v2) { c2 = Identity(c)  v2 = Add(v, x0) }
})");
  Session session = Session::create(engine).value();
  std::vector<float> values = {1, 2};
  std::int64_t count = 5;
  ASSERT_TRUE(session.set_input("x", Tensor::borrow(DataType::f32, {2}, values.data())).ok());
  ASSERT_TRUE(session.set_input("n", Tensor::borrow(DataType::i64, {}, &count)).ok());
  const Status status = session.run();
  ASSERT_TRUE(status.ok()) << status.message();
  EXPECT_EQ(session.output("y").value().data<float>()[1], 12.0f);
}

}  // namespace
}  // namespace fovea
