// SPDX-License-Identifier: Apache-2.0
// GridSample over two spatial axes in f32, linear or nearest: the taps of a point are found once and applied to
// all channels, contiguous in nhwc.
#include <cmath>

#include "backends/cpu/kit/threads.h"
#include "device/kernel.h"
#include "ops/deform/grid_sample.h"

namespace fovea {

namespace {

using namespace cpu;

constexpr Layout kLayouts[] = {Layout::nhwc, Layout::plain};

/// Up to four source elements of a point with their weights.
struct Taps {
  int count = 0;
  std::int64_t offset[4];
  float weight[4];
};

class PreparedGridSample : public PreparedKernel {
 public:
  ops::GridSampleParams params;
  TensorDesc x, grid, y;
  int threads = 1;

  Status run(const Arguments& arguments) override {
    const auto* src = static_cast<const float*>(arguments.inputs[0]);
    const auto* points = static_cast<const float*>(arguments.inputs[1]);
    auto* dst = static_cast<float*>(arguments.outputs[0]);
    const std::int64_t h = y.shape[2], w = y.shape[3], channels = x.shape[1];
    parallel_for(useful_threads(threads, y.shape[0] * h, w * (channels * 4 + 64)), y.shape[0] * h, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t job = begin; job < end; ++job) {
        const std::int64_t n = job / h, row = job % h;
        for (std::int64_t column = 0; column < w; ++column) {
          const float* point = points + n * grid.strides[0] + row * grid.strides[1] + column * grid.strides[2];
          const Taps taps = taps_of(point[0], point[grid.strides[3]]);
          apply(taps, src + n * x.strides[0], dst + n * y.strides[0] + row * y.strides[2] + column * y.strides[3], channels);
        }
      }
    });
    return {};
  }

 private:
  Taps taps_of(float px, float py) const {
    const ops::AxisTaps rows = ops::grid_taps(params, ops::grid_position(py, x.shape[2], params.align_corners), x.shape[2]);
    const ops::AxisTaps columns = ops::grid_taps(params, ops::grid_position(px, x.shape[3], params.align_corners), x.shape[3]);
    Taps taps;
    for (int r = 0; r < rows.count; ++r) {
      for (int c = 0; c < columns.count; ++c) {
        taps.offset[taps.count] = rows.index[r] * x.strides[2] + columns.index[c] * x.strides[3];
        taps.weight[taps.count++] = static_cast<float>(rows.weight[r] * columns.weight[c]);
      }
    }
    return taps;
  }

  void apply(const Taps& taps, const float* src, float* dst, std::int64_t channels) const {
    const std::int64_t in = x.strides[1], out = y.strides[1];
    if (taps.count == 4) {
      const float *a = src + taps.offset[0], *b = src + taps.offset[1], *c = src + taps.offset[2], *d = src + taps.offset[3];
      const float wa = taps.weight[0], wb = taps.weight[1], wc = taps.weight[2], wd = taps.weight[3];
      for (std::int64_t k = 0; k < channels; ++k) dst[k * out] = wa * a[k * in] + wb * b[k * in] + wc * c[k * in] + wd * d[k * in];
      return;
    }
    for (std::int64_t k = 0; k < channels; ++k) {
      float sum = 0;
      for (int t = 0; t < taps.count; ++t) sum += taps.weight[t] * src[taps.offset[t] + k * in];
      dst[k * out] = sum;
    }
  }
};

class GridSampleKernel : public Kernel {
 public:
  std::string_view name() const override { return "grid_sample_points"; }
  std::span<const Layout> layouts() const override { return kLayouts; }

  Status can_run(const Problem& problem) const override {
    const TensorDesc &x = problem.inputs[0], &grid = problem.inputs[1], &y = problem.outputs[0];
    if (x.type != DataType::f32 || grid.type != DataType::f32) return unsupported("computes in f32");
    if (x.shape.rank() != 4 || grid.shape.rank() != 4 || grid.shape[3] != 2) return unsupported("two spatial axes");
    if (block_of(x.layout) != 1 || block_of(y.layout) != 1 || block_of(grid.layout) != 1) return unsupported("unblocked layouts");
    if (y.type != x.type || grid.shape[0] != x.shape[0] || !(y.shape == Shape{x.shape[0], x.shape[1], grid.shape[1], grid.shape[2]})) {
      return unsupported("an output of one value per channel and grid point");
    }
    if (x.shape.elements() == 0 || y.shape.elements() == 0) return unsupported("tensors with elements");
    FOVEA_ASSIGN(const auto params, ops::GridSampleParams::parse(problem.attributes));
    return params.mode == ops::SampleMode::Cubic ? unsupported("linear and nearest") : Status();
  }

  Result<std::unique_ptr<PreparedKernel>> prepare(const Problem& problem) const override {
    auto kernel = std::make_unique<PreparedGridSample>();
    FOVEA_ASSIGN(kernel->params, ops::GridSampleParams::parse(problem.attributes));
    kernel->x = problem.inputs[0];
    kernel->grid = problem.inputs[1];
    kernel->y = problem.outputs[0];
    kernel->threads = problem.threads;
    return std::unique_ptr<PreparedKernel>(std::move(kernel));
  }
};

}  // namespace

const Kernel& grid_sample_points() {
  static const GridSampleKernel kernel;
  return kernel;
}

}  // namespace fovea
