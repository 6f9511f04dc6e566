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
/// Rows up to this long are turned into columns first, so that vectors are full.
constexpr std::int64_t kShortRow = 12;
constexpr Layout kLayouts[] = {Layout::nhwc, Layout::plain};

class PreparedSoftmax : public PreparedKernel {
 public:
  std::int64_t outer = 1, extent = 1, inner = 1;
  bool logarithm = false;
  int threads = 1;

  Status run(const Arguments& arguments) override {
    const auto* x = static_cast<const float*>(arguments.inputs[0]);
    auto* y = static_cast<float*>(arguments.outputs[0]);
    if (inner == 1 && extent <= kShortRow) return run_short_rows(x, y);
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

  Status run_short_rows(const float* x, float* y) const {
    const std::int64_t blocks = (outer + kColumns - 1) / kColumns;
    parallel_for(useful_threads(threads, blocks, extent * kColumns * 16), blocks, [&](std::int64_t begin, std::int64_t end) {
      float turned[kShortRow * kColumns];
      for (std::int64_t block = begin; block < end; ++block) {
        const std::int64_t first = block * kColumns, n = std::min(kColumns, outer - first);
        const float* from = x + first * extent;
        float* to = y + first * extent;
        for (std::int64_t r = 0; r < n; ++r) {
          for (std::int64_t k = 0; k < extent; ++k) turned[k * n + r] = from[r * extent + k];
        }
        block_of_columns(turned, turned, n, n);
        for (std::int64_t r = 0; r < n; ++r) {
          for (std::int64_t k = 0; k < extent; ++k) to[r * extent + k] = turned[k * n + r];
        }
      }
    });
    return {};
  }

  void columns(const float* x, float* y, std::int64_t first) const {
    block_of_columns(x + first, y + first, inner, std::min(kColumns, inner - first));
  }

  /// n columns of `extent` elements that are `stride` apart; y may be x.
  void block_of_columns(const float* x, float* y, std::int64_t stride, std::int64_t n) const {
    const RowOps& ops = row_ops();
    float largest[kColumns], sum[kColumns] = {};
    std::copy_n(x, n, largest);
    for (std::int64_t k = 1; k < extent; ++k) ops.max_into(largest, x + k * stride, n);
    if (logarithm) {
      float powers[kColumns];
      for (std::int64_t k = 0; k < extent; ++k) {
        ops.exp_columns(x + k * stride, largest, powers, n);
        ops.add_into(sum, powers, n);
      }
      for (std::int64_t c = 0; c < n; ++c) sum[c] = largest[c] + std::log(sum[c]);
      for (std::int64_t k = 0; k < extent; ++k) {
        for (std::int64_t c = 0; c < n; ++c) y[k * stride + c] = x[k * stride + c] - sum[c];
      }
      return;
    }
    for (std::int64_t k = 0; k < extent; ++k) {
      ops.exp_columns(x + k * stride, largest, y + k * stride, n);
      ops.add_into(sum, y + k * stride, n);
    }
    for (std::int64_t k = 0; k < extent; ++k) ops.divide_columns(y + k * stride, sum, n);
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
