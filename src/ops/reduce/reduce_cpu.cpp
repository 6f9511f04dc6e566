// SPDX-License-Identifier: Apache-2.0
// ReduceMean, ReduceSum, ReduceMax, ReduceMin, ReduceL2 and ReduceSumSquare in f32 where the reduced axes are
// neighbours in memory: [outer][reduced][inner]. Channels-last tensors reduce over space without a reorder.
#include <algorithm>
#include <cmath>

#include "backends/cpu/kit/row_ops.h"
#include "backends/cpu/kit/threads.h"
#include "device/kernel.h"
#include "ops/axis.h"

namespace fovea {

namespace {

using namespace cpu;

constexpr std::int64_t kColumns = 256;
constexpr Layout kLayouts[] = {Layout::nhwc, Layout::plain};

enum class Kind : std::uint8_t { Sum, Mean, Max, Min, SumSquare, L2 };

class PreparedReduce : public PreparedKernel {
 public:
  std::int64_t outer = 1, reduced = 1, inner = 1;
  Kind kind = Kind::Sum;
  int threads = 1;

  Status run(const Arguments& arguments) override {
    const auto* x = static_cast<const float*>(arguments.inputs[0]);
    auto* y = static_cast<float*>(arguments.outputs[0]);
    const std::int64_t blocks = (inner + kColumns - 1) / kColumns;
    parallel_for(useful_threads(threads, outer * blocks, reduced * std::min(inner, kColumns)), outer * blocks, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t job = begin; job < end; ++job) {
        const std::int64_t o = job / blocks, first = job % blocks * kColumns, n = std::min(kColumns, inner - first);
        const float* from = x + o * reduced * inner + first;
        float* to = y + o * inner + first;
        if (inner == 1) *to = row(from);
        else columns(from, to, n);
        if (kind == Kind::Mean) row_ops().scale(to, 1 / static_cast<float>(reduced), to, n);
        if (kind == Kind::L2) for (std::int64_t c = 0; c < n; ++c) to[c] = std::sqrt(to[c]);
      }
    });
    return {};
  }

 private:
  float row(const float* x) const {
    const RowOps& ops = row_ops();
    switch (kind) {
      case Kind::Sum: case Kind::Mean: return ops.sum(x, reduced);
      case Kind::Max: return ops.max(x, reduced);
      case Kind::Min: return *std::min_element(x, x + reduced);
      case Kind::SumSquare: case Kind::L2: return ops.sum_squares(x, 0, reduced);
    }
    return 0;
  }

  void columns(const float* x, float* y, std::int64_t n) const {
    const RowOps& ops = row_ops();
    const bool squares = kind == Kind::SumSquare || kind == Kind::L2;
    if (squares) std::fill_n(y, n, 0.0f), ops.add_squares_into(y, x, n);
    else std::copy_n(x, n, y);
    const auto into = squares ? ops.add_squares_into : kind == Kind::Max ? ops.max_into : kind == Kind::Min ? ops.min_into : ops.add_into;
    for (std::int64_t k = 1; k < reduced; ++k) into(y, x + k * inner, n);
  }
};

/// Axes with more than one element, outermost in memory first.
std::vector<int> memory_order(const TensorDesc& desc) {
  std::vector<int> axes;
  for (int axis = 0; axis < desc.shape.rank(); ++axis) {
    if (desc.shape[axis] > 1) axes.push_back(axis);
  }
  std::stable_sort(axes.begin(), axes.end(), [&](int a, int b) { return desc.strides[a] > desc.strides[b]; });
  return axes;
}

class ReduceKernel : public Kernel {
 public:
  std::string_view name() const override { return "reduce_rows"; }
  std::span<const Layout> layouts() const override { return kLayouts; }
  Status can_run(const Problem& problem) const override { return plan(problem).status(); }
  Result<std::unique_ptr<PreparedKernel>> prepare(const Problem& problem) const override {
    FOVEA_ASSIGN(const PreparedReduce planned, plan(problem));
    return std::unique_ptr<PreparedKernel>(std::make_unique<PreparedReduce>(planned));
  }

 private:
  static Result<PreparedReduce> plan(const Problem& problem) {
    const TensorDesc &x = problem.inputs[0], &y = problem.outputs[0];
    if (x.type != DataType::f32) return unsupported("computes in f32, found ", fovea::name(x.type));
    if (block_of(x.layout) != 1 || !x.is_dense() || !y.is_dense()) return unsupported("dense unblocked tensors");
    if (x.shape.elements() == 0) return unsupported("tensors with elements");
    if (problem.has_input(1) && !problem.is_constant(1)) return unsupported("axes are constants");
    const int rank = x.shape.rank();
    std::vector<std::int64_t> listed;
    if (problem.has_input(1)) {
      FOVEA_ASSIGN(listed, ops::int_values(problem.constants[1], "axes"));
    }
    if (listed.empty()) {
      if (problem.attributes.get_int("noop_with_empty_axes", 0) != 0) return unsupported("at least one axis");
      for (int axis = 0; axis < rank; ++axis) listed.push_back(axis);
    }
    FOVEA_ASSIGN(const auto axes, ops::normalize_axes(listed, rank));
    const bool keep = problem.attributes.get_int("keepdims", 1) != 0;
    // 1. One run of reduced axes in memory.
    PreparedReduce kernel;
    std::vector<int> kept;
    int state = 0;  // before, in, behind the run
    for (int axis : memory_order(x)) {
      const bool reduced = std::find(axes.begin(), axes.end(), axis) != axes.end();
      if (reduced && state == 2) return unsupported("reduced axes that are neighbours in memory");
      if (reduced) state = 1;
      if (!reduced && state == 1) state = 2;
      (state == 0 ? kernel.outer : state == 1 ? kernel.reduced : kernel.inner) *= x.shape[axis];
      if (!reduced) kept.push_back(axis);
    }
    // 2. What is kept lies in the same order in the output.
    std::vector<int> expected;
    for (int axis : kept) {
      const auto dropped = std::count_if(axes.begin(), axes.end(), [&](int a) { return a < axis; });
      expected.push_back(axis - (keep ? 0 : static_cast<int>(dropped)));
    }
    for (std::size_t i = 0; i < kept.size(); ++i) {
      if (expected[i] >= y.shape.rank() || y.shape[expected[i]] != x.shape[kept[i]]) return unsupported("an output of the kept extents");
    }
    if (y.type != x.type || y.shape.elements() != kernel.outer * kernel.inner) return unsupported("an output of the kept extents");
    if (memory_order(y) != expected) return unsupported("kept axes in the same order in memory");
    const std::string_view op = problem.op;
    kernel.kind = op == "ReduceMean" ? Kind::Mean : op == "ReduceMax" ? Kind::Max : op == "ReduceMin" ? Kind::Min
                : op == "ReduceSumSquare" ? Kind::SumSquare : op == "ReduceL2" ? Kind::L2 : Kind::Sum;
    kernel.threads = problem.threads;
    return kernel;
  }
};

}  // namespace

const Kernel& reduce_rows() {
  static const ReduceKernel kernel;
  return kernel;
}

}  // namespace fovea
