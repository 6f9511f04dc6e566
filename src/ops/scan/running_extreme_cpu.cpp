// SPDX-License-Identifier: Apache-2.0
// cummax and cummin over f32 and i32 along any axis: memory is [outer][axis][inner]; inner 1 is done row by row,
// otherwise in blocks of columns.
#include <algorithm>
#include <limits>

#include "backends/cpu/kit/threads.h"
#include "device/kernel.h"
#include "ops/axis.h"
#include "ops/scan/running_extreme_lines.h"

namespace fovea {

namespace {

using namespace cpu;

constexpr std::int64_t kColumns = 256;

template <class T>
class PreparedExtreme : public PreparedKernel {
 public:
  std::int64_t outer = 1, extent = 1, inner = 1;
  bool maximum = true;
  int threads = 1;

  Status run(const Arguments& arguments) override {
    const RunningExtremeLoops<T>& loops = running_extreme_loops<T>();
    const auto* x = static_cast<const T*>(arguments.inputs[0]);
    auto* values = static_cast<T*>(arguments.outputs[0]);
    auto* indices = static_cast<std::int64_t*>(arguments.outputs[1]);
    const std::int64_t blocks = (inner + kColumns - 1) / kColumns, jobs = outer * blocks;
    parallel_for(useful_threads(threads, jobs, extent * std::min(inner, kColumns)), jobs, [&](std::int64_t begin, std::int64_t end) {
      std::int32_t held_at[kColumns];
      for (std::int64_t job = begin; job < end; ++job) {
        const std::int64_t first = job % blocks * kColumns, at = job / blocks * extent * inner + first;
        if (inner == 1) loops.row(x + at, values + at, indices + at, extent, maximum);
        else loops.columns(x + at, values + at, indices + at, extent, inner, std::min(kColumns, inner - first), held_at, maximum);
      }
    });
    return {};
  }
};

template <class T>
std::unique_ptr<PreparedKernel> prepare_for(const Problem& problem, int axis) {
  const Shape& x = problem.inputs[0].shape;
  auto kernel = std::make_unique<PreparedExtreme<T>>();
  for (int i = 0; i < x.rank(); ++i) (i < axis ? kernel->outer : i == axis ? kernel->extent : kernel->inner) *= x[i];
  kernel->maximum = problem.op == "mmcv::cummax";
  kernel->threads = problem.threads;
  return kernel;
}

class ExtremeKernel : public Kernel {
 public:
  std::string_view name() const override { return "running_extreme"; }

  Status can_run(const Problem& problem) const override {
    const TensorDesc& x = problem.inputs[0];
    if (x.type != DataType::f32 && x.type != DataType::i32) return unsupported("works on f32 and i32, found ", fovea::name(x.type));
    if (!x.is_plain_dense() || x.shape.elements() == 0) return unsupported("dense plain tensors with elements");
    if (problem.outputs.size() != 2) return unsupported("values and indices as outputs");
    const DataType types[] = {x.type, DataType::i64};
    for (std::size_t i = 0; i < 2; ++i) {
      const TensorDesc& y = problem.outputs[i];
      if (y.type != types[i] || !(y.shape == x.shape) || !y.is_plain_dense()) return unsupported("values and indices like the input");
    }
    FOVEA_ASSIGN(const int axis, axis_of(problem));
    if (x.shape.rank() > 0 && x.shape[axis] > std::numeric_limits<std::int32_t>::max()) return unsupported("an axis of less than 2^31 elements");
    return {};
  }

  Result<std::unique_ptr<PreparedKernel>> prepare(const Problem& problem) const override {
    FOVEA_ASSIGN(const int axis, axis_of(problem));
    return problem.inputs[0].type == DataType::f32 ? prepare_for<float>(problem, axis) : prepare_for<std::int32_t>(problem, axis);
  }

 private:
  static Result<int> axis_of(const Problem& problem) {
    return ops::normalize_axis(problem.attributes.get_int("dim"), std::max(1, problem.inputs[0].shape.rank()));
  }
};

}  // namespace

const Kernel& running_extreme() {
  static const ExtremeKernel kernel;
  return kernel;
}

}  // namespace fovea
