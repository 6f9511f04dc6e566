// SPDX-License-Identifier: Apache-2.0
// LayerNormalization and RMSNormalization in f32, with mean and inverse deviation where they are outputs: one row of
// n = product of the normalised axes at a time.
#include <algorithm>

#include "backends/cpu/kit/threads.h"
#include "device/kernel.h"
#include "ops/axis.h"
#include "ops/norm/norm_loops.h"

namespace fovea {

namespace {

using namespace cpu;

class PreparedNorm : public PreparedKernel {
 public:
  std::int64_t rows = 1;
  RowNorm norm;
  std::int64_t scale_elements = 0, bias_elements = 0;  ///< 0 for a missing one
  bool has_means = false, has_inverses = false;
  int threads = 1;

  /// Room for one number spread over a row.
  std::size_t scratch_bytes() const override {
    const bool spread = (scale_elements == 1 || bias_elements == 1) && norm.n > 1;
    return spread ? 2 * static_cast<std::size_t>(norm.n) * sizeof(float) : 0;
  }

  Status run(const Arguments& arguments) override {
    auto* scratch = static_cast<float*>(arguments.scratch);
    RowNorm job = norm;
    if (scale_elements > 0) job.gamma = per_element(static_cast<const float*>(arguments.inputs[1]), scale_elements, scratch);
    if (bias_elements > 0) job.beta = per_element(static_cast<const float*>(arguments.inputs[2]), bias_elements, scratch + norm.n);
    const auto* x = static_cast<const float*>(arguments.inputs[0]);
    auto* y = static_cast<float*>(arguments.outputs[0]);
    auto* means = has_means ? static_cast<float*>(arguments.outputs[1]) : nullptr;
    auto* inverses = has_inverses ? static_cast<float*>(arguments.outputs[2]) : nullptr;
    parallel_for(useful_threads(threads, rows, norm.n * 4), rows, [&](std::int64_t begin, std::int64_t end) {
      norm_loops().rows(job, x + begin * norm.n, y + begin * norm.n, means ? means + begin : nullptr, inverses ? inverses + begin : nullptr, end - begin);
    });
    return {};
  }

 private:
  const float* per_element(const float* given, std::int64_t elements, float* room) const {
    if (elements == norm.n) return given;
    std::fill_n(room, norm.n, *given);
    return room;
  }
};

std::int64_t row_length(const Shape& shape, int axis) {
  std::int64_t n = 1;
  for (int i = axis; i < shape.rank(); ++i) n *= shape[i];
  return n;
}

class NormKernel : public Kernel {
 public:
  std::string_view name() const override { return "norm_rows"; }

  Status can_run(const Problem& problem) const override {
    const TensorDesc& x = problem.inputs[0];
    for (const auto& tensors : {problem.inputs, problem.outputs}) {
      for (const TensorDesc& tensor : tensors) {
        if (tensor.type == DataType::undefined) continue;
        if (tensor.type != DataType::f32) return unsupported("computes in f32, found ", fovea::name(tensor.type));
        if (!tensor.is_plain_dense()) return unsupported("dense plain tensors");
      }
    }
    if (x.shape.elements() == 0 || x.shape.rank() == 0) return unsupported("tensors with elements and rank >= 1");
    if (!(problem.outputs[0].shape == x.shape)) return unsupported("input and output of one shape");
    FOVEA_ASSIGN(const int axis, ops::normalize_axis(problem.attributes.get_int("axis", -1), x.shape.rank()));
    const std::int64_t n = row_length(x.shape, axis);
    for (std::size_t i = 1; i < problem.inputs.size(); ++i) {
      const std::int64_t elements = problem.inputs[i].shape.elements();
      if (problem.has_input(static_cast<int>(i)) && elements != n && elements != 1) {
        return unsupported("scale and bias with one element, or one per normalised position");
      }
    }
    for (std::size_t i = 1; i < problem.outputs.size(); ++i) {
      const TensorDesc& statistics = problem.outputs[i];
      if (statistics.type != DataType::undefined && statistics.shape.elements() != x.shape.elements() / n) return unsupported("statistics of one element per row");
    }
    return {};
  }

  Result<std::unique_ptr<PreparedKernel>> prepare(const Problem& problem) const override {
    const Shape& x = problem.inputs[0].shape;
    FOVEA_ASSIGN(const int axis, ops::normalize_axis(problem.attributes.get_int("axis", -1), x.rank()));
    auto kernel = std::make_unique<PreparedNorm>();
    kernel->norm.n = row_length(x, axis);
    kernel->norm.epsilon = static_cast<float>(problem.attributes.get_float("epsilon", 1e-5));
    kernel->norm.centred = problem.op == "LayerNormalization";
    kernel->rows = x.elements() / kernel->norm.n;
    kernel->scale_elements = problem.has_input(1) ? problem.inputs[1].shape.elements() : 0;
    kernel->bias_elements = problem.has_input(2) ? problem.inputs[2].shape.elements() : 0;
    const auto has_output = [&](std::size_t i) { return i < problem.outputs.size() && problem.outputs[i].type != DataType::undefined; };
    kernel->has_means = has_output(1);
    kernel->has_inverses = has_output(2);
    kernel->threads = problem.threads;
    return std::unique_ptr<PreparedKernel>(std::move(kernel));
  }
};

}  // namespace

const Kernel& norm_rows() {
  static const NormKernel kernel;
  return kernel;
}

}  // namespace fovea
