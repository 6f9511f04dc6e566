// SPDX-License-Identifier: Apache-2.0
// NonMaxSuppression on threads: classes of images are taken one by one by whoever is free; each result has its place,
// so the order of work does not show.
#include <cstdlib>
#include <memory>

#include "backends/cpu/kit/jobs.h"
#include "device/dynamic_kernel.h"
#include "ops/detection/nms_operands.h"

namespace fovea {

namespace {

using namespace cpu;
using ops::NmsOperands;
using ops::NmsScratch;

constexpr std::int64_t kWorkPerScore = 16;  // operations, roughly, most of them in what few scores pass

std::size_t aligned(std::size_t bytes) { return (bytes + 63) / 64 * 64; }

/// Memory of one thread: the scratch of keep_best and the indices it keeps.
std::size_t worker_bytes(std::int64_t count, std::int64_t limit) {
  return aligned(NmsScratch::bytes(count, limit)) + aligned(static_cast<std::size_t>(limit) * sizeof(std::int32_t));
}

int worker_count(int threads, const NmsOperands& operands) {
  return useful_threads(threads, operands.tasks(), operands.common.count * kWorkPerScore);
}

/// done(task, indices, count) for every task.
template <class Done>
void for_each_task(const NmsOperands& operands, int workers, char* memory, const Done& done) {
  const std::int64_t count = operands.common.count, limit = operands.limit();
  const std::size_t each = worker_bytes(count, limit);
  parallel_jobs(workers, operands.tasks(), [&](std::int64_t task, int worker) {
    char* const own = memory + static_cast<std::size_t>(worker) * each;
    auto* const kept = reinterpret_cast<std::int32_t*>(own + aligned(NmsScratch::bytes(count, limit)));
    done(task, kept, keep_best(operands.task(task), NmsScratch(own, count, limit), kept));
  });
}

/// Extents depend on data: memory is allocated as it turns out.
Status run_on_context(ops::KernelContext& context) {
  FOVEA_ASSIGN(const NmsOperands operands, ops::nms_operands(context));
  if (operands.common.count > INT32_MAX)
    return unsupported("at most ", INT32_MAX, " boxes, found ", operands.common.count);
  ops::KeptBoxes kept(static_cast<std::size_t>(operands.tasks()));
  const int workers = worker_count(omp_get_max_threads(), operands);
  const std::size_t bytes = static_cast<std::size_t>(workers) * worker_bytes(operands.common.count, operands.limit());
  const std::unique_ptr<char, void (*)(void*)> memory(static_cast<char*>(std::aligned_alloc(64, aligned(bytes + 64))),
                                                      std::free);
  if (!memory) return resource_exhausted("cannot allocate ", bytes, " bytes");
  for_each_task(operands, workers, memory.get(),
                [&](std::int64_t task, const std::int32_t* indices, std::int64_t count) {
                  kept[static_cast<std::size_t>(task)].assign(indices, indices + count);
                });
  return write_kept(context, operands, kept);
}

/// The padded form: each task writes at its place, then the rows move together.
class PreparedPaddedNms : public PreparedKernel {
 public:
  NmsOperands operands;
  int workers = 1;
  bool wants_count = false;

  std::size_t scratch_bytes() const override {
    return static_cast<std::size_t>(workers) * worker_bytes(operands.common.count, operands.limit()) +
           static_cast<std::size_t>(operands.tasks()) * sizeof(std::int32_t);
  }

  Status run(const Arguments& arguments) override {
    NmsOperands bound = operands;
    bound.boxes = static_cast<const float*>(arguments.inputs[0]);
    bound.scores = static_cast<const float*>(arguments.inputs[1]);
    auto* const rows = static_cast<std::int32_t*>(arguments.outputs[0]);
    auto* const memory = static_cast<char*>(arguments.scratch);
    auto* const counts = reinterpret_cast<std::int32_t*>(memory + static_cast<std::size_t>(workers) *
                                                                      worker_bytes(bound.common.count, bound.limit()));
    const std::int64_t room = bound.limit() * 3;
    for_each_task(bound, workers, memory, [&](std::int64_t task, const std::int32_t* indices, std::int64_t count) {
      std::int32_t* row = rows + task * room;
      counts[task] = static_cast<std::int32_t>(count);
      for (std::int64_t i = 0; i < count; ++i, row += 3) {
        row[0] = static_cast<std::int32_t>(task / bound.classes),
        row[1] = static_cast<std::int32_t>(task % bound.classes), row[2] = indices[i];
      }
    });
    std::int32_t* end = rows;
    for (std::int64_t task = 0; task < bound.tasks(); ++task)
      end = std::copy_n(rows + task * room, counts[task] * std::int64_t{3}, end);
    if (wants_count) *static_cast<std::int32_t*>(arguments.outputs[1]) = static_cast<std::int32_t>((end - rows) / 3);
    std::fill(end, rows + bound.tasks() * room, -1);
    return {};
  }
};

class NmsKernel : public DynamicKernel {
 public:
  std::string_view name() const override { return "nms_classes"; }
  Status run_dynamic(ops::KernelContext& context) const override { return run_on_context(context); }

  Status can_run(const Problem& problem) const override {
    if (problem.op != "mmcv::NonMaxSuppression" || problem.inputs[0].shape.rank() != 3)
      return unsupported("rows of a number that is known before");
    for (const TensorDesc* desc : {&problem.inputs[0], &problem.inputs[1], &problem.outputs[0]}) {
      if (!desc->is_plain_dense() || desc->shape.elements() == 0 || desc->shape.elements() > INT32_MAX)
        return unsupported("dense tensors of 1 to ", INT32_MAX, " elements");
    }
    FOVEA_ASSIGN(const NmsOperands operands, parse(problem));
    const bool fits = problem.outputs[0].type == DataType::i32 &&
                      problem.outputs[0].shape == Shape{operands.tasks() * operands.limit(), 3};
    return fits ? Status() : unsupported("i32 rows for every class");
  }

  Result<std::unique_ptr<PreparedKernel>> prepare(const Problem& problem) const override {
    auto kernel = std::make_unique<PreparedPaddedNms>();
    FOVEA_ASSIGN(kernel->operands, parse(problem));
    kernel->workers = worker_count(problem.threads, kernel->operands);
    kernel->wants_count = problem.outputs.size() > 1 && problem.outputs[1].type == DataType::i32;
    return std::unique_ptr<PreparedKernel>(std::move(kernel));
  }

 private:
  static Result<NmsOperands> parse(const Problem& problem) {
    if (problem.inputs[0].type != DataType::f32 || problem.inputs[1].type != DataType::f32)
      return unsupported("computes in f32");
    NmsOperands operands;
    FOVEA_ASSIGN(operands.common, ops::nms_attributes(problem.op, problem.attributes));
    FOVEA_RETURN_IF_ERROR(set_nms_shapes(problem.op, problem.inputs[0].shape, problem.inputs[1].shape, operands));
    return operands;
  }
};

}  // namespace

const Kernel& nms_classes() {
  static const NmsKernel kernel;
  return kernel;
}

}  // namespace fovea
