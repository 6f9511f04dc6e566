// SPDX-License-Identifier: Apache-2.0
// LayerNormalization and RMSNormalization in f32: one row of n = product of the normalised axes at a time, mean
// and variance in two passes over a row that stays in the L1 cache.
#include <cmath>

#include "backends/cpu/kit/row_ops.h"
#include "backends/cpu/kit/threads.h"
#include "device/kernel.h"
#include "ops/axis.h"

namespace fovea {

namespace {

using namespace cpu;

class PreparedNorm : public PreparedKernel {
 public:
  std::int64_t rows = 1, n = 1;
  float epsilon = 0;
  bool centred = true, has_scale = false, has_bias = false;
  int threads = 1;

  Status run(const Arguments& arguments) override {
    const RowOps& ops = row_ops();
    const auto* x = static_cast<const float*>(arguments.inputs[0]);
    const auto* gamma = has_scale ? static_cast<const float*>(arguments.inputs[1]) : nullptr;
    const auto* beta = has_bias ? static_cast<const float*>(arguments.inputs[2]) : nullptr;
    auto* y = static_cast<float*>(arguments.outputs[0]);
    parallel_for(useful_threads(threads, rows, n * 4), rows, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t row = begin; row < end; ++row) {
        const float* from = x + row * n;
        const auto count = static_cast<float>(n);
        const float mean = centred ? ops.sum(from, n) / count : 0.0f;
        const float variance = ops.sum_squares(from, mean, n) / count;
        ops.normalise(from, mean, 1 / std::sqrt(variance + epsilon), gamma, beta, y + row * n, n);
      }
    });
    return {};
  }
};

class NormKernel : public Kernel {
 public:
  std::string_view name() const override { return "norm_rows"; }

  Status can_run(const Problem& problem) const override {
    const TensorDesc& x = problem.inputs[0];
    for (const TensorDesc& input : problem.inputs) {
      if (input.type == DataType::undefined) continue;
      if (input.type != DataType::f32) return unsupported("computes in f32, found ", fovea::name(input.type));
      if (!input.is_plain_dense()) return unsupported("dense plain tensors");
    }
    if (!problem.outputs[0].is_plain_dense()) return unsupported("dense plain tensors");
    for (std::size_t o = 1; o < problem.outputs.size(); ++o) {
      if (problem.outputs[o].type != DataType::undefined) return unsupported("no statistics as further outputs");
    }
    if (problem.attributes.get_int("stash_type", 1) != 1) return unsupported("statistics in f32");
    if (x.shape.elements() == 0 || x.shape.rank() == 0) return unsupported("tensors with elements and rank >= 1");
    if (problem.outputs[0].type != x.type || !(problem.outputs[0].shape == x.shape)) return unsupported("input and output of one shape");
    FOVEA_ASSIGN(const int axis, ops::normalize_axis(problem.attributes.get_int("axis", -1), x.shape.rank()));
    for (int i = 1; i < static_cast<int>(problem.inputs.size()); ++i) {
      if (problem.has_input(i) && problem.inputs[static_cast<std::size_t>(i)].shape.elements() != row_length(x.shape, axis)) {
        return unsupported("scale and bias with one element per normalised position");
      }
    }
    return {};
  }

  Result<std::unique_ptr<PreparedKernel>> prepare(const Problem& problem) const override {
    const Shape& x = problem.inputs[0].shape;
    FOVEA_ASSIGN(const int axis, ops::normalize_axis(problem.attributes.get_int("axis", -1), x.rank()));
    auto kernel = std::make_unique<PreparedNorm>();
    kernel->n = row_length(x, axis);
    kernel->rows = x.elements() / kernel->n;
    kernel->epsilon = static_cast<float>(problem.attributes.get_float("epsilon", 1e-5));
    kernel->centred = problem.op == "LayerNormalization";
    kernel->has_scale = problem.has_input(1);
    kernel->has_bias = problem.has_input(2);
    kernel->threads = problem.threads;
    return std::unique_ptr<PreparedKernel>(std::move(kernel));
  }

 private:
  static std::int64_t row_length(const Shape& shape, int axis) {
    std::int64_t n = 1;
    for (int i = axis; i < shape.rank(); ++i) n *= shape[i];
    return n;
  }
};

}  // namespace

const Kernel& norm_rows() {
  static const NormKernel kernel;
  return kernel;
}

}  // namespace fovea
