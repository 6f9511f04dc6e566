// SPDX-License-Identifier: Apache-2.0
// Resize over the two spatial axes, nearest and linear, in nhwc and plain layouts: rows first into a small buffer
// per thread, then along the row. The tables of taps are the reference's own.
#include <algorithm>
#include <cstring>

#include "backends/cpu/kit/threads.h"
#include "device/kernel.h"
#include "ops/resize/resize_params.h"

namespace fovea {

namespace {

using namespace cpu;

constexpr Layout kLayouts[] = {Layout::nhwc, Layout::plain};

/// At most two taps an output element.
struct AxisTable {
  std::vector<std::int64_t> low, high;
  std::vector<float> weight;  ///< of `high`; 0 everywhere for nearest
  bool copies = true;         ///< every weight is 0

  static Result<AxisTable> from(const ops::ResizeTaps& taps, std::int64_t outputs) {
    AxisTable table;
    for (std::int64_t o = 0; o < outputs; ++o) {
      const auto at = static_cast<std::size_t>(o);
      if (taps.identity) {
        table.low.push_back(o), table.high.push_back(o), table.weight.push_back(0);
        continue;
      }
      const bool nearest = taps.weight.empty();
      const auto first = static_cast<std::size_t>(nearest && taps.first.empty() ? o : taps.first[at]);
      const auto count = nearest && taps.first.empty() ? std::size_t{1} : static_cast<std::size_t>(taps.first[at + 1]) - first;
      if (count < 1 || count > 2) return unsupported("one or two taps an output element");
      table.low.push_back(taps.index[first]);
      table.high.push_back(taps.index[first + count - 1]);
      table.weight.push_back(nearest || count == 1 ? 0.0f : static_cast<float>(taps.weight[first + 1]));
      table.copies = table.copies && table.weight.back() == 0;
    }
    return table;
  }
};

class PreparedResize : public PreparedKernel {
 public:
  TensorDesc x, y;
  AxisTable rows, columns;
  int threads = 1;

  std::size_t scratch_bytes() const override { return static_cast<std::size_t>(threads) * row_bytes(); }

  Status run(const Arguments& arguments) override {
    const auto* src = static_cast<const float*>(arguments.inputs[0]);
    auto* dst = static_cast<float*>(arguments.outputs[0]);
    const std::int64_t oh = y.shape[2];
    const bool channels_last = x.layout == Layout::nhwc;
    const std::int64_t planes = channels_last ? x.shape[0] : x.shape[0] * x.shape[1];
    parallel_for(threads, planes * oh, [&](std::int64_t begin, std::int64_t end) {
      auto* buffer = reinterpret_cast<float*>(static_cast<char*>(arguments.scratch) + static_cast<std::size_t>(omp_get_thread_num() % threads) * row_bytes());
      for (std::int64_t job = begin; job < end; ++job) {
        const std::int64_t plane = job / oh, row = job % oh;
        const std::int64_t n = channels_last ? plane : plane / x.shape[1], c = channels_last ? 0 : plane % x.shape[1];
        const float* from = src + n * x.strides[0] + c * x.strides[1];
        float* to = dst + n * y.strides[0] + c * y.strides[1] + row * y.strides[2];
        const auto r = static_cast<std::size_t>(row);
        const float* low = from + rows.low[r] * x.strides[2];
        const float* high = from + rows.high[r] * x.strides[2];
        channels_last ? write_pixels(low, high, rows.weight[r], buffer, to) : write_row(low, high, rows.weight[r], buffer, to);
      }
    });
    return {};
  }

 private:
  std::size_t row_bytes() const {
    const std::int64_t elements = x.shape[3] * (x.layout == Layout::nhwc ? x.shape[1] : 1);
    return (static_cast<std::size_t>(elements) * sizeof(float) + 63) / 64 * 64;
  }

  /// a + w (b - a) of two rows of pixels with `step` floats between pixels, packed to `count` floats each.
  static void blend(const float* a, const float* b, float w, float* to, std::int64_t count) {
    for (std::int64_t i = 0; i < count; ++i) to[i] = a[i] + w * (b[i] - a[i]);
  }

  void write_pixels(const float* low, const float* high, float w, float* buffer, float* to) const {
    const std::int64_t channels = x.shape[1], width = x.shape[3];
    const float* row = low;
    std::int64_t step = x.strides[3];
    if (w != 0) {
      for (std::int64_t i = 0; i < width; ++i) blend(low + i * step, high + i * step, w, buffer + i * channels, channels);
      row = buffer;
      step = channels;
    }
    for (std::int64_t o = 0; o < y.shape[3]; ++o, to += y.strides[3]) {
      const auto at = static_cast<std::size_t>(o);
      const float* a = row + columns.low[at] * step;
      if (columns.weight[at] == 0) std::memcpy(to, a, static_cast<std::size_t>(channels) * sizeof(float));
      else blend(a, row + columns.high[at] * step, columns.weight[at], to, channels);
    }
  }

  void write_row(const float* low, const float* high, float w, float* buffer, float* to) const {
    const float* row = low;
    if (w != 0) {
      blend(low, high, w, buffer, x.shape[3]);
      row = buffer;
    }
    const std::int64_t *first = columns.low.data(), *second = columns.high.data();
    const float* weight = columns.weight.data();
    if (columns.copies) {
      for (std::int64_t o = 0; o < y.shape[3]; ++o) to[o] = row[first[o]];
    } else {
      for (std::int64_t o = 0; o < y.shape[3]; ++o) to[o] = row[first[o]] + weight[o] * (row[second[o]] - row[first[o]]);
    }
  }
};

class SeparableResize : public Kernel {
 public:
  std::string_view name() const override { return "two_tap_resize"; }
  std::span<const Layout> layouts() const override { return kLayouts; }
  Status can_run(const Problem& problem) const override { return plan(problem).status(); }
  Result<std::unique_ptr<PreparedKernel>> prepare(const Problem& problem) const override {
    FOVEA_ASSIGN(auto kernel, plan(problem));
    return std::unique_ptr<PreparedKernel>(std::move(kernel));
  }

 private:
  static Result<std::unique_ptr<PreparedResize>> plan(const Problem& problem) {
    const TensorDesc &x = problem.inputs[0], &y = problem.outputs[0];
    if (x.type != DataType::f32) return unsupported("computes in f32, found ", fovea::name(x.type));
    if (y.type != x.type || y.shape.rank() != 4 || x.shape.rank() != 4 || x.layout != y.layout || block_of(x.layout) != 1) return unsupported("four axes, plain or nhwc on both sides");
    if (x.shape.elements() == 0 || y.shape.elements() == 0) return unsupported("tensors without elements");
    const int inner = x.layout == Layout::nhwc ? 1 : 3;
    if ((x.strides[inner] != 1 && x.shape[inner] != 1) || (y.strides[inner] != 1 && y.shape[inner] != 1)) return unsupported("contiguous innermost axes");
    FOVEA_ASSIGN(const auto params, ops::ResizeParams::parse(problem.attributes, 4));
    if (params.mode == ops::ResizeMode::Cubic || params.antialias) return unsupported("nearest and linear without antialiasing");
    const auto constant = [&](int i) { return problem.is_constant(i) ? problem.constants[static_cast<std::size_t>(i)] : Tensor(); };
    for (int i = 1; i < 4; ++i) {
      if (problem.has_input(i) && !problem.is_constant(i)) return unsupported("scales and sizes are constants");
    }
    FOVEA_ASSIGN(const auto axes, ops::resolve_resize(params, x.shape, constant(1), constant(2), constant(3)));
    for (std::size_t axis = 0; axis < 4; ++axis) {
      if (axes[axis].output != y.shape[static_cast<int>(axis)]) return unsupported("output extents that follow from the scales");
    }
    auto kernel = std::make_unique<PreparedResize>();
    kernel->x = x;
    kernel->y = y;
    for (std::size_t axis = 0; axis < 4; ++axis) {
      FOVEA_ASSIGN(const auto taps, ops::make_resize_taps(params, axes[axis]));
      if (std::find(taps.outside.begin(), taps.outside.end(), 1) != taps.outside.end()) return unsupported("no extrapolation");
      if (axis < 2 && !taps.identity) return unsupported("batch and channels stay");
      if (axis < 2) continue;
      FOVEA_ASSIGN((axis == 2 ? kernel->rows : kernel->columns), AxisTable::from(taps, axes[axis].output));
    }
    kernel->threads = useful_threads(problem.threads, y.shape[0] * y.shape[2], y.shape[1] * y.shape[3] * 4);
    return kernel;
  }
};

}  // namespace

const Kernel& two_tap_resize() {
  static const SeparableResize kernel;
  return kernel;
}

}  // namespace fovea
