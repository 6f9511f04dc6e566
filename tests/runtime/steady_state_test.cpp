// SPDX-License-Identifier: Apache-2.0
// After the first run with a shape nothing is allocated: counted by replacing operator new and by mallinfo.
#include <gtest/gtest.h>
#include <malloc.h>

#include <atomic>
#include <cstdlib>
#include <new>

#include "compiler/compile.h"
#include "compiler/samples.h"
#include "fovea/session.h"
#include "ir/text.h"

namespace {
std::atomic<long> g_allocations{0};
}

void* operator new(std::size_t size) {
  ++g_allocations;
  if (void* memory = std::malloc(size ? size : 1)) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace fovea {
namespace {

struct Steady {
  long allocations = 0;
  long heap_growth = 0;
};

/// Twenty runs after three to warm up.
Steady run_steadily(const char* text) {
  BuildOptions options;
  options.tuning = Tuning::None;
  const Engine engine(std::make_shared<const Plan>(compiler::compile(ir::parse(text).value(), options).value()));
  for (const PlanStep& step : engine.plan().steps) EXPECT_NE(step.kernel, "reference") << step.name << " (" << step.op << "); reference kernels may allocate";
  Session session = Session::create(engine).value();
  const Tensor input = make_sample(DataType::f32, {1, 8, 16, 16}, 1).value();
  EXPECT_TRUE(session.set_input("x", input).ok());
  bool ok = true;
  for (int i = 0; i < 3; ++i) ok = ok && session.run().ok();
  const long before = g_allocations;
  const auto heap_before = mallinfo2().uordblks;
  for (int i = 0; i < 20; ++i) ok = ok && session.run().ok();
  const Steady result{g_allocations - before, static_cast<long>(mallinfo2().uordblks) - static_cast<long>(heap_before)};
  EXPECT_TRUE(ok);
  return result;
}

TEST(SteadyState, RunsWithoutAllocating) {
  const Steady steady = run_steadily(R"(
graph g(x: f32[1,8,16,16]) -> (y) {
  r = Relu(x)
  t = Transpose(r) {perm=[0,2,3,1]}
  s = Softmax(t) {axis=-1}
  y = Mul(s, t)
})");
  EXPECT_EQ(steady.allocations, 0);
  EXPECT_EQ(steady.heap_growth, 0);
}

// oneDNN allocates and frees a few small nodes whenever a primitive is executed; nothing may stay.
TEST(SteadyState, ConvolutionsLeaveTheHeapAsItWas) {
  const Steady steady = run_steadily(R"(
graph g(x: f32[1,8,16,16]) -> (y) {
  const w: f32[16,8,3,3] = rand(1, -1, 1)
  const b: f32[16] = rand(2, -1, 1)
  c = Conv(x, w, b) {pads=[1,1,1,1]}
  r = Relu(c)
  p = MaxPool(r) {kernel_shape=[2,2], strides=[2,2]}
  s = Sigmoid(p)
  y = Mul(p, s)
})");
  EXPECT_EQ(steady.heap_growth, 0);
}

}  // namespace
}  // namespace fovea
