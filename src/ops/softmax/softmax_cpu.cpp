// SPDX-License-Identifier: Apache-2.0
// Softmax and LogSoftmax in f32 along any axis of a dense tensor: memory is [outer][axis][inner] whatever the
// layout; inner 1 is done row by row, otherwise in blocks of columns.
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

class PreparedSoftmax : public PreparedKernel {
 public:
  std::int64_t outer = 1, extent = 1, inner = 1;
  bool logarithm = false;
  int threads = 1;

  Status run(const Arguments& arguments) override {
    const auto* x = static_cast<const float*>(arguments.inputs[0]);
    auto* y = static_cast<float*>(arguments.outputs[0]);
    const std::int64_t blocks = (inner + kColumns - 1) / kColumns;
    parallel_for(useful_threads(threads, outer * blocks, extent * std::min(inner, kColumns) * 16), outer * blocks, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t job = begin; job < end; ++job) {
        if (inner == 1) row(x + job * extent, y + job * extent);
        else columns(x + job / blocks * extent * inner, y + job / blocks * extent * inner, job % blocks * kColumns);
      }
    });
    return {};
  }

 private:
  void row(const float* x, float* y) const {
    const RowOps& ops = row_ops();
    const float largest = ops.max(x, extent);
    const float sum = ops.exp_shifted(x, largest, y, extent);
    if (logarithm) ops.normalise(x, largest + std::log(sum), 1, nullptr, nullptr, y, extent);
    else ops.scale(y, 1 / sum, y, extent);
  }

  void columns(const float* x, float* y, std::int64_t first) const {
    const RowOps& ops = row_ops();
    const std::int64_t n = std::min(kColumns, inner - first);
    float largest[kColumns], sum[kColumns] = {};
    std::copy_n(x + first, n, largest);
    for (std::int64_t k = 1; k < extent; ++k) ops.max_into(largest, x + k * inner + first, n);
    for (std::int64_t k = 0; k < extent; ++k) {
      float* to = y + k * inner + first;
      ops.exp_columns(x + k * inner + first, largest, to, n);
      ops.add_into(sum, to, n);
    }
    if (logarithm) {
      for (std::int64_t c = 0; c < n; ++c) sum[c] = largest[c] + std::log(sum[c]);
      for (std::int64_t k = 0; k < extent; ++k) {
        for (std::int64_t c = 0; c < n; ++c) y[k * inner + first + c] = x[k * inner + first + c] - sum[c];
      }
    } else {
      for (std::int64_t k = 0; k < extent; ++k) ops.divide_columns(y + k * inner + first, sum, n);
    }
  }
};

class SoftmaxKernel : public Kernel {
 public:
  std::string_view name() const override { return "softmax_rows"; }
  std::span<const Layout> layouts() const override { return kLayouts; }

  Status can_run(const Problem& problem) const override {
    const TensorDesc &x = problem.inputs[0], &y = problem.outputs[0];
    if (x.type != DataType::f32) return unsupported("computes in f32, found ", fovea::name(x.type));
    if (block_of(x.layout) != 1 || !x.is_dense() || !(x == y)) return unsupported("dense input and output of one layout");
    if (x.shape.rank() < 1 || x.shape.elements() == 0) return unsupported("tensors with elements and rank >= 1");
    return ops::normalize_axis(problem.attributes.get_int("axis", -1), x.shape.rank()).status();
  }

  Result<std::unique_ptr<PreparedKernel>> prepare(const Problem& problem) const override {
    const TensorDesc& x = problem.inputs[0];
    FOVEA_ASSIGN(const int axis, ops::normalize_axis(problem.attributes.get_int("axis", -1), x.shape.rank()));
    auto kernel = std::make_unique<PreparedSoftmax>();
    kernel->extent = x.shape[axis];
    kernel->inner = x.strides[axis];
    kernel->outer = x.shape.elements() / (kernel->extent * kernel->inner);
    kernel->logarithm = problem.op == "LogSoftmax";
    kernel->threads = problem.threads;
    return std::unique_ptr<PreparedKernel>(std::move(kernel));
  }
};

}  // namespace

const Kernel& softmax_rows() {
  static const SoftmaxKernel kernel;
  return kernel;
}

}  // namespace fovea
