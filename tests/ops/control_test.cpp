// SPDX-License-Identifier: Apache-2.0
// If, Loop, Scan, SequenceMap and sequences, run from the text form on the reference kernels.
#include "compiler/compile.h"
#include "ir/text.h"
#include "passes/infer_shapes.h"
#include "runtime/executor.h"
#include "support/op_test.h"

namespace fovea::testing {
namespace {

Result<std::vector<Datum>> run_graph(const char* text, const std::vector<Datum>& inputs) {
  FOVEA_ASSIGN(ir::Graph graph, ir::parse(text));
  FOVEA_ASSIGN(const Plan plan, compiler::compile_reference(graph));
  Executor executor(plan, {1});
  FOVEA_RETURN_IF_ERROR(executor.run(inputs));
  std::vector<Datum> outputs;
  for (std::size_t i = 0; i < plan.outputs.size(); ++i) outputs.push_back(executor.output(static_cast<int>(i)));
  return outputs;
}

std::string shape_of(const char* text, const char* value) {
  auto graph = ir::parse(text);
  if (!graph.ok()) return graph.status().to_string();
  if (const Status status = passes::infer_shapes(*graph); !status.ok()) return status.message();
  const auto& shape = graph->value(graph->find_value(value)).shape;
  return shape ? to_string(*shape) : "?";
}

constexpr const char* kGrowing = R"(graph g(n: i64[], x: f32[1,W]) -> (y, sums) {
  const go: bool[] = [1]
  y, sums = Loop(n, go, x, x) {captures=1}
    graph body(i: i64[], c: bool[], a, k) -> (c2, b, s) {
      const axis: i64[1] = [1]
      c2 = Identity(c)
      b = Concat(a, k) {axis=0}
      s = ReduceSum(k, axis) {keepdims=0}
    }
})";

TEST(Loop, CarriedValuesMayGrow) {
  const auto outputs = run_graph(kGrowing, {scalar<std::int64_t>(3), tensor<float>({1, 2}, {1, 2})});
  ASSERT_TRUE(outputs.ok()) << outputs.status().to_string();
  EXPECT_TRUE(same((*outputs)[0].tensor, tensor<float>({4, 2}, {1, 2, 1, 2, 1, 2, 1, 2})));
  EXPECT_TRUE(same((*outputs)[1].tensor, tensor<float>({3, 1}, {3, 3, 3})));
}

TEST(Loop, OnlyExtentsThatChangeGetSymbols) {
  EXPECT_EQ(shape_of(kGrowing, "y"), "loop_0xW");
  EXPECT_EQ(shape_of(kGrowing, "sums"), "loop_1x1");
}

TEST(Loop, RunningNotOnceStillHasTypesAndRanks) {
  const auto outputs = run_graph(kGrowing, {scalar<std::int64_t>(0), tensor<float>({1, 2}, {1, 2})});
  ASSERT_TRUE(outputs.ok()) << outputs.status().to_string();
  EXPECT_TRUE(same((*outputs)[0].tensor, tensor<float>({1, 2}, {1, 2})));
  EXPECT_EQ((*outputs)[1].tensor.type(), DataType::f32);
  EXPECT_EQ((*outputs)[1].tensor.shape(), (Shape{0, 1}));
}

TEST(Loop, ScanOutputsAreAsLongAsTheTripCount) {
  EXPECT_EQ(shape_of(R"(graph g(x: f32[H,W]) -> (y) {
    const go: bool[] = [1]
    const zero: i64[] = [0]
    s = Shape(x)
    n = Gather(s, zero)
    y = Loop(n, go, x) {captures=1}
      graph body(i: i64[], c: bool[], k) -> (c2, row) {
        const c2: bool[] = [1]
        row = Gather(k, i)
      }
  })", "y"), "HxW");
}

TEST(Loop, IterationsMustAgree) {
  EXPECT_TRUE(fails(run_graph(R"(graph g(n: i64[]) -> (y) {
    const go: bool[] = [1]
    y = Loop(n, go)
      graph body(i: i64[], c: bool[]) -> (c2, r) {
        const zero: i64[] = [0]
        const one: i64[] = [1]
        c2 = Identity(c)
        r = Range(zero, i, one)
      }
  })", {scalar<std::int64_t>(3)}), ErrorCode::InvalidArgument, "iteration 1 gives i64 1, the first gave i64 0"));
}

TEST(If, BranchesThatDifferGiveASymbol) {
  constexpr const char* kText = R"(graph g(c: bool[], x: f32[N,4]) -> (y) {
    y = If(c, x) {captures=1}
      graph then_branch(a) -> (b) { b = Concat(a, a) {axis=0} }
      graph else_branch(a) -> (b) { b = Identity(a) }
  })";
  EXPECT_EQ(shape_of(kText, "y"), "if_0x4");
  const auto outputs = run_graph(kText, {tensor<bool>({}, {1}), tensor<float>({1, 4}, {1, 2, 3, 4})});
  ASSERT_TRUE(outputs.ok()) << outputs.status().to_string();
  EXPECT_EQ((*outputs)[0].tensor.shape(), (Shape{2, 4}));
}

TEST(Scan, WalksAxesBackwards) {
  constexpr const char* kText = R"(graph g(s: f32[2], x: f32[2,T]) -> (last, y) {
    last, y = Scan(s, x) {num_scan_inputs=1, scan_input_axes=[1], scan_input_directions=[1], scan_output_axes=[-1], scan_output_directions=[1]}
      graph body(a, b) -> (sum, out) {
        sum = Add(a, b)
        out = Identity(sum)
      }
  })";
  EXPECT_EQ(shape_of(kText, "y"), "2xT");
  const auto outputs = run_graph(kText, {tensor<float>({2}, {0, 10}), tensor<float>({2, 3}, {1, 2, 3, 4, 5, 6})});
  ASSERT_TRUE(outputs.ok()) << outputs.status().to_string();
  EXPECT_TRUE(same((*outputs)[0].tensor, tensor<float>({2}, {6, 25})));
  EXPECT_TRUE(same((*outputs)[1].tensor, tensor<float>({2, 3}, {6, 5, 3, 25, 21, 16})));
}

TEST(Sequence, InsertEraseAtAndConcat) {
  const auto outputs = run_graph(R"(graph g(x: f32[2], p: i64[]) -> (y, n, z) {
    const axis: i64[] = [0]
    const minus: i64[] = [-1]
    twice = Add(x, x)
    s0 = SequenceConstruct(x, twice)
    s1 = SequenceInsert(s0, x, minus)
    s2 = SequenceErase(s1, p)
    n = SequenceLength(s2)
    y = ConcatFromSequence(s2) {axis=0, new_axis=1}
    z = SequenceAt(s1, minus)
  })", {tensor<float>({2}, {1, 2}), scalar<std::int64_t>(0)});
  ASSERT_TRUE(outputs.ok()) << outputs.status().to_string();
  EXPECT_TRUE(same((*outputs)[0].tensor, tensor<float>({2, 2}, {1, 2, 2, 4})));
  EXPECT_TRUE(same((*outputs)[1].tensor, scalar<std::int64_t>(2)));
  EXPECT_TRUE(same((*outputs)[2].tensor, tensor<float>({2}, {2, 4})));
}

TEST(Sequence, PositionsAreChecked) {
  const auto items = Datum::make_sequence({Datum(tensor<float>({1}, {1}))}, DataType::f32);
  EXPECT_TRUE(fails(run_op_datums("SequenceAt", {items, scalar<std::int64_t>(1)}), ErrorCode::InvalidArgument, "index 1 is out of range"));
  EXPECT_TRUE(fails(run_op_datums("SequenceInsert", {items, tensor<std::int64_t>({1}, {1})}), ErrorCode::InvalidArgument, "does not fit a sequence of f32"));
  EXPECT_TRUE(fails(run_op_datums("OptionalGetElement", {Datum()}), ErrorCode::InvalidArgument, "the optional is empty"));
}

TEST(SplitToSequence, CutsInEqualPartsWithARest) {
  const auto parts = run_op_datums("SplitToSequence", {tensor<float>({5}, {1, 2, 3, 4, 5}), scalar<std::int64_t>(2)});
  ASSERT_TRUE(parts.ok()) << parts.status().to_string();
  ASSERT_EQ((*parts)[0].items->size(), 3u);
  EXPECT_TRUE(same((*(*parts)[0].items)[2].tensor, tensor<float>({1}, {5})));
}

}  // namespace
}  // namespace fovea::testing
