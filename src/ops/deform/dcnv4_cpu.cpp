// SPDX-License-Identifier: Apache-2.0
// DCNv4 on the CPU, both forms, f32, f16 and bf16 storage: coordinates, weights and sums in f32, one rounding at the end.
#include "backends/cpu/kit/threads.h"
#include "device/kernel.h"
#include "ops/deform/dcnv4_simd.h"

namespace fovea {

namespace ops {

Dcnv4Job Dcnv4Job::create(const Dcnv4Params& params, const Dcnv4Geometry& geometry) {
  Dcnv4Job job{params, geometry, {}, {}};
  for (const Dcnv4Point& point : params.window()) {
    job.window_x.push_back(static_cast<float>(point.x));
    job.window_y.push_back(static_cast<float>(point.y));
  }
  job.window_x.resize(job.window_x.size() + kWidestVector);
  job.window_y.resize(job.window_y.size() + kWidestVector);
  return job;
}

}  // namespace ops

namespace {

using namespace cpu;

Result<ops::Dcnv4Geometry> geometry_of(const ops::Dcnv4Params& params, const Problem& problem) {
  if (ops::is_unsliced_dcnv4(problem.op)) return params.resolve_unsliced(problem.inputs[0].shape);
  return params.resolve(problem.inputs[0].shape, problem.inputs[1].shape);
}

class PreparedDcnv4 : public PreparedKernel {
 public:
  PreparedDcnv4(ops::Dcnv4Job job, DataType type, bool unsliced, int threads)
      : job_(std::move(job)), loop_(ops::dcnv4_loop(type)), offset_input_(unsliced ? 0 : 1) {
    const std::int64_t work = job_.params.channels() * job_.params.points() * 4;
    threads_ = useful_threads(threads, count(), work);
  }

  std::size_t scratch_bytes() const override { return static_cast<std::size_t>(threads_) * job_.scratch_floats() * sizeof(float); }

  Status run(const Arguments& arguments) override {
    parallel_for(threads_, count(), [&](std::int64_t begin, std::int64_t end) {
      float* const scratch = static_cast<float*>(arguments.scratch) + static_cast<std::size_t>(threads_ > 1 ? omp_get_thread_num() % threads_ : 0) * job_.scratch_floats();
      loop_(job_, arguments.inputs[0], arguments.inputs[offset_input_], arguments.outputs[0], begin, end, scratch);
    });
    return {};
  }

 private:
  std::int64_t count() const { return job_.geometry.batch * job_.geometry.pixels(); }

  ops::Dcnv4Job job_;
  ops::Dcnv4Loop loop_;
  int offset_input_;
  int threads_ = 1;
};

class Dcnv4Kernel : public Kernel {
 public:
  std::string_view name() const override { return "dcnv4_taps"; }

  Status can_run(const Problem& problem) const override {
    const DataType type = problem.inputs[0].type;
    if (!ops::dcnv4_loop(type)) return unsupported("f32, f16 and bf16");
    for (const TensorDesc& input : problem.inputs) {
      if (input.type != type || !input.is_plain_dense()) return unsupported("dense inputs of one type");
    }
    if (problem.outputs[0].type != type || !problem.outputs[0].is_plain_dense()) return unsupported("a dense output of the inputs' type");
    FOVEA_ASSIGN(const auto params, ops::Dcnv4Params::parse(problem.attributes));
    FOVEA_ASSIGN(const auto geometry, geometry_of(params, problem));
    if (!(problem.outputs[0].shape == params.output_shape(geometry))) return unsupported("an output of ", params.output_shape(geometry).to_string());
    if (geometry.h * geometry.w > INT32_MAX / geometry.value_stride) return unsupported("images of fewer than 2^31 elements");
    return {};
  }

  Result<std::unique_ptr<PreparedKernel>> prepare(const Problem& problem) const override {
    FOVEA_ASSIGN(const auto params, ops::Dcnv4Params::parse(problem.attributes));
    FOVEA_ASSIGN(const auto geometry, geometry_of(params, problem));
    return std::unique_ptr<PreparedKernel>(
        std::make_unique<PreparedDcnv4>(ops::Dcnv4Job::create(params, geometry), problem.inputs[0].type, ops::is_unsliced_dcnv4(problem.op), problem.threads));
  }
};

}  // namespace

const Kernel& dcnv4_taps() {
  static const Dcnv4Kernel kernel;
  return kernel;
}

}  // namespace fovea
