// SPDX-License-Identifier: Apache-2.0
// GlobalAveragePool with sums in f64: as exact as the reference, and memory-bound all the same. A mean that is off in the
// last bit flips values in the quantised networks that round it next.
#include <vector>

#include "backends/cpu/kit/threads.h"
#include "device/kernel.h"

namespace fovea {

namespace {

using namespace cpu;

class PreparedGlobalAverage : public PreparedKernel {
 public:
  explicit PreparedGlobalAverage(const Problem& problem) : x_(problem.inputs[0]), threads_(problem.threads) {
    samples_ = x_.shape[0];
    channels_ = x_.shape[1];
    for (int axis = 2; axis < x_.shape.rank(); ++axis) positions_ *= x_.shape[axis];
  }

  Status run(const Arguments& arguments) override {
    const auto* x = static_cast<const float*>(arguments.inputs[0]);
    auto* y = static_cast<float*>(arguments.outputs[0]);
    const bool last = x_.layout == Layout::nhwc;
    // Channels are independent: pieces of them, so that the result does not depend on the threads.
    const std::int64_t blocks = (channels_ + kBlock - 1) / kBlock;
    const std::int64_t pieces = samples_ * blocks;
    parallel_for(useful_threads(threads_, pieces, positions_ * kBlock * 4), pieces, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t piece = begin; piece < end; ++piece) {
        const std::int64_t n = piece / blocks, first = piece % blocks * kBlock, count = std::min(kBlock, channels_ - first);
        double sums[kBlock] = {};
        const float* from = x + n * channels_ * positions_ + (last ? first : first * positions_);
        for (std::int64_t p = 0; p < positions_; ++p) {
          if (last) {
            for (std::int64_t c = 0; c < count; ++c) sums[c] += static_cast<double>(from[p * channels_ + c]);
          } else {
            for (std::int64_t c = 0; c < count; ++c) sums[c] += static_cast<double>(from[c * positions_ + p]);
          }
        }
        for (std::int64_t c = 0; c < count; ++c) y[n * channels_ + first + c] = static_cast<float>(sums[c] / static_cast<double>(positions_));
      }
    });
    return {};
  }

 private:
  static constexpr std::int64_t kBlock = 64;
  TensorDesc x_;
  int threads_;
  std::int64_t samples_ = 1, channels_ = 1, positions_ = 1;
};

class GlobalAverage : public Kernel {
 public:
  std::string_view name() const override { return "global_average"; }
  std::span<const Layout> layouts() const override {
    static constexpr Layout kLayouts[] = {Layout::nhwc, Layout::plain};
    return kLayouts;
  }
  Status can_run(const Problem& problem) const override {
    const TensorDesc &x = problem.inputs[0], &y = problem.outputs[0];
    if (x.type != DataType::f32) return unsupported("computes in f32, found ", fovea::name(x.type));
    if (x.shape.rank() < 3) return unsupported("at least one spatial axis");
    if (!x.is_dense() || !y.is_dense() || block_of(x.layout) != 1) return unsupported("dense tensors, plain or nhwc");
    return x.shape.elements() == 0 ? unsupported("tensors without elements") : Status();
  }
  Result<std::unique_ptr<PreparedKernel>> prepare(const Problem& problem) const override {
    return std::unique_ptr<PreparedKernel>(std::make_unique<PreparedGlobalAverage>(problem));
  }
};

}  // namespace

const Kernel& global_average() {
  static const GlobalAverage kernel;
  return kernel;
}

}  // namespace fovea
