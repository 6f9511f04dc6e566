// SPDX-License-Identifier: Apache-2.0
// Pointwise programs tile by tile: up to 1024 elements pass through all instructions while they stay in the L1
// cache. Serves fovea::pointwise and, as one-operator programs, the elementwise operators of ONNX. Any layout that
// all tensors of full rank share; any strides; broadcast inputs are expanded into tiles.
#include "backends/cpu/kit/threads.h"
#include "device/kernel.h"
#include "ops/fused/lower_elementwise.h"
#include "ops/fused/pointwise_schedule.h"

namespace fovea {

namespace {

using namespace cpu;

class PreparedPointwise : public PreparedKernel {
 public:
  PreparedPointwise(PointwiseSchedule schedule, PointwiseLoops loops, int threads)
      : schedule_(std::move(schedule)), loops_(std::move(loops)), threads_(threads) {}

  std::size_t scratch_bytes() const override { return static_cast<std::size_t>(threads_) * schedule_.scratch_bytes(); }

  Status run(const Arguments& arguments) override {
    parallel_for(threads_, loops_.tiles(), [&](std::int64_t begin, std::int64_t end) {
      const auto thread = static_cast<std::size_t>(threads_ > 1 ? omp_get_thread_num() : 0);
      schedule_.run(loops_, arguments, static_cast<char*>(arguments.scratch) + thread * schedule_.scratch_bytes(), begin, end);
    });
    return {};
  }

 private:
  PointwiseSchedule schedule_;
  PointwiseLoops loops_;
  int threads_ = 1;
};

constexpr Layout kAnyLayout[] = {Layout::nhwc, Layout::plain};

class PointwiseKernel : public Kernel {
 public:
  std::string_view name() const override { return "pointwise_tiles"; }
  std::span<const Layout> layouts() const override { return kAnyLayout; }
  bool may_run_in_place(int, int) const override { return false; }

  Status can_run(const Problem& problem) const override {
    FOVEA_ASSIGN(const PointwiseProgram program, program_for(problem));
    if (program.code.size() > 200) return unsupported("at most 200 instructions");
    const TensorDesc& lead = problem.outputs[0];
    for (const TensorDesc& output : problem.outputs) {
      if (!(output.shape == lead.shape)) return unsupported("outputs of one shape");
    }
    for (const auto* group : {&problem.inputs, &problem.outputs}) {
      for (const TensorDesc& desc : *group) {
        if (desc.type == DataType::undefined) continue;
        if (block_of(desc.layout) != 1) return unsupported("blocked layouts");
        if (desc.shape.rank() > lead.shape.rank()) return unsupported("outputs have the broadcast shape of all inputs");
        for (int axis = 1; axis <= desc.shape.rank(); ++axis) {
          const std::int64_t own = desc.shape[desc.shape.rank() - axis], wanted = lead.shape[lead.shape.rank() - axis];
          if (own != wanted && own != 1) return unsupported("outputs have the broadcast shape of all inputs");
        }
      }
    }
    return {};
  }

  Result<std::unique_ptr<PreparedKernel>> prepare(const Problem& problem) const override {
    FOVEA_ASSIGN(PointwiseProgram program, program_for(problem));
    PointwiseLoops loops(problem);
    FOVEA_ASSIGN(PointwiseSchedule schedule, PointwiseSchedule::create(std::move(program), problem.constants, loops));
    const int threads = useful_threads(problem.threads, loops.tiles(), loops.elements() * schedule.work_per_element() / std::max<std::int64_t>(1, loops.tiles()));
    return std::unique_ptr<PreparedKernel>(std::make_unique<PreparedPointwise>(std::move(schedule), std::move(loops), threads));
  }

 private:
  static Result<PointwiseProgram> program_for(const Problem& problem) {
    std::vector<DataType> types;
    for (const TensorDesc& input : problem.inputs) types.push_back(input.type);
    PointwiseProgram program;
    if (problem.op == "fovea::pointwise") {
      FOVEA_ASSIGN(program, PointwiseProgram::parse(problem.attributes.get_string("program")));
      const std::vector<DataType> wanted = program.input_types();
      for (std::size_t i = 0; i < wanted.size(); ++i) {
        if (i >= types.size() || (wanted[i] != DataType::undefined && wanted[i] != types[i])) return unsupported("the program's inputs differ from the node's");
      }
    } else {
      FOVEA_ASSIGN(program, program_of(problem.op, problem.attributes, types));
    }
    if (program.outputs.size() != problem.outputs.size()) return unsupported("the program's outputs differ from the node's");
    for (std::size_t i = 0; i < program.outputs.size(); ++i) {
      if (program.type_of(program.outputs[i]) != problem.outputs[i].type) return unsupported("the program's outputs differ from the node's");
    }
    return program;
  }
};

}  // namespace

const Kernel& pointwise_tiles() {
  static const PointwiseKernel kernel;
  return kernel;
}

}  // namespace fovea
