// SPDX-License-Identifier: Apache-2.0
// MMCVCornerPool in f32. Where neighbours along the pooled axis are whole rows (or pixels of nhwc), one vector
// operation a row; along the rows of nchw eight rows at a time, so that their chains of comparisons overlap.
#include <algorithm>
#include <memory>

#include "backends/cpu/kit/threads.h"
#include "device/kernel.h"
#include "ops/detection/corner_pool.h"
#include "ops/detection/corner_pool_simd.h"

namespace fovea {

namespace {

using namespace cpu;
using ops::CornerPoolMode;

constexpr Layout kLayouts[] = {Layout::nhwc, Layout::plain};
constexpr std::int64_t kRows = 8;

/// `steps` runs of `run` elements, each the larger of itself and the run before it; `step` may be negative.
void pool_runs(const float* x, float* y, std::int64_t steps, std::int64_t step, std::int64_t run) {
  std::copy_n(x, run, y);
  for (std::int64_t i = 1; i < steps; ++i) larger_of(x + i * step, y + (i - 1) * step, y + i * step, run);
}

template <std::int64_t kStep>
void pool_rows(const float* x, float* y, std::int64_t rows, std::int64_t width) {
  const std::int64_t first = kStep > 0 ? 0 : width - 1;
  float running[kRows];
  for (std::int64_t r = 0; r < rows; ++r) running[r] = x[r * width + first];
  for (std::int64_t i = 0; i < width; ++i) {
    for (std::int64_t r = 0; r < rows; ++r) {
      const std::int64_t at = r * width + first + i * kStep;
      y[at] = running[r] = ops::larger(x[at], running[r]);
    }
  }
}

class PreparedCornerPool : public PreparedKernel {
 public:
  CornerPoolMode mode;
  Shape shape;
  bool pixels = false;  ///< nhwc
  int threads = 1;

  Status run(const Arguments& arguments) override {
    const auto* x = static_cast<const float*>(arguments.inputs[0]);
    auto* y = static_cast<float*>(arguments.outputs[0]);
    const std::int64_t channels = pixels ? shape[1] : 1, height = shape[2], width = shape[3], row = width * channels,
                       map = height * row;
    const std::int64_t sign = backward(mode) ? -1 : 1, maps = shape.elements() / map;
    if (!along_rows(mode)) {
      // Pieces of rows are independent of each other.
      const std::int64_t pieces = std::max<std::int64_t>(1, std::min<std::int64_t>(row / 64, threads)),
                         first = backward(mode) ? (height - 1) * row : 0;
      parallel_for(useful_threads(threads, maps * pieces, map / pieces), maps * pieces,
                   [&](std::int64_t begin, std::int64_t end) {
                     for (std::int64_t job = begin; job < end; ++job) {
                       const std::int64_t piece = job % pieces, from = row * piece / pieces,
                                          to = row * (piece + 1) / pieces, at = job / pieces * map + first + from;
                       pool_runs(x + at, y + at, height, sign * row, to - from);
                     }
                   });
      return {};
    }
    parallel_for(useful_threads(threads, maps * height, row),
                 pixels ? maps * height : (maps * height + kRows - 1) / kRows,
                 [&](std::int64_t begin, std::int64_t end) {
                   for (std::int64_t job = begin; job < end; ++job) {
                     if (pixels) {
                       const std::int64_t at = job * row + (backward(mode) ? row - channels : 0);
                       pool_runs(x + at, y + at, width, sign * channels, channels);
                     } else {
                       const std::int64_t at = job * kRows * width, rows = std::min(kRows, maps * height - job * kRows);
                       if (backward(mode))
                         pool_rows<-1>(x + at, y + at, rows, width);
                       else
                         pool_rows<1>(x + at, y + at, rows, width);
                     }
                   }
                 });
    return {};
  }
};

class CornerPoolKernel : public Kernel {
 public:
  std::string_view name() const override { return "running_maximum"; }
  std::span<const Layout> layouts() const override { return kLayouts; }

  Status can_run(const Problem& problem) const override {
    const TensorDesc &x = problem.inputs[0], &y = problem.outputs[0];
    FOVEA_RETURN_IF_ERROR(ops::corner_pool_mode(problem.attributes).status());
    if (x.type != DataType::f32 || y.type != DataType::f32) return unsupported("computes in f32");
    if (x.shape.rank() != 4 || x.shape.elements() == 0 || !(x == y) || !x.is_dense() || block_of(x.layout) != 1)
      return unsupported("dense maps of one unblocked layout");
    return {};
  }

  Result<std::unique_ptr<PreparedKernel>> prepare(const Problem& problem) const override {
    auto kernel = std::make_unique<PreparedCornerPool>();
    FOVEA_ASSIGN(kernel->mode, ops::corner_pool_mode(problem.attributes));
    kernel->shape = problem.inputs[0].shape;
    kernel->pixels = problem.inputs[0].layout == Layout::nhwc;
    kernel->threads = std::max(1, problem.threads);
    return std::unique_ptr<PreparedKernel>(std::move(kernel));
  }
};

}  // namespace

const Kernel& corner_pool_running() {
  static const CornerPoolKernel kernel;
  return kernel;
}

}  // namespace fovea
