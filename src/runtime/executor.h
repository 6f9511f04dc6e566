// SPDX-License-Identifier: Apache-2.0
// Executor: runs a plan. Keeps one Instance per input shape; the same class runs the bodies of control flow.
#pragma once

#include <functional>
#include <list>
#include <memory>
#include <span>
#include <vector>

#include "base/datum.h"
#include "engine/plan.h"
#include "runtime/instance.h"

namespace fovea {

struct ExecutorOptions {
  int threads = 1;
  int max_instances = 4;
  bool profile = false;
  /// New memory for the outputs of every run: for bodies, whose outputs become inputs of the next iteration.
  bool fresh_outputs = false;
  /// How often one run may run bodies of control flow, nested ones included: a Loop that never ends is an error.
  std::int64_t max_body_runs = 50'000'000;
  /// Called after each step of the plan itself (not of bodies) while the step's inputs and outputs hold their values, so
  /// that somebody may look at them; an error ends the run. Outputs take no memory of their step's inputs then.
  std::function<Status(std::size_t step)> after_step = {};
  /// The count that bodies share with the executor of the whole plan; set by it.
  std::int64_t* body_runs_left = nullptr;
};

class BodyExecutors;
struct DynamicKernels;

class Executor {
 public:
  /// The plan must outlive the executor.
  Executor(const Plan& plan, const ExecutorOptions& options);
  ~Executor();

  /// Prepares for these inputs without running.
  Status prepare(std::span<const Datum> inputs);
  /// `bound` may hold a tensor per output to write into (undefined: own memory). After an error outputs are void.
  Status run(std::span<const Datum> inputs, std::span<const Tensor> bound = {});
  const Datum& output(int index) const { return outputs_[static_cast<std::size_t>(index)]; }
  const Instance* current() const { return current_; }
  const std::vector<double>& step_seconds() const { return step_seconds_; }
  std::int64_t runs() const { return runs_; }
  const Plan& plan() const { return plan_; }

 private:
  Status select(std::span<const Datum> inputs);
  Status check_inputs(std::span<const Datum> inputs) const;
  Status bind_outputs(std::span<const Datum> inputs, std::span<const Tensor> bound);
  Status run_step(PreparedStep& prepared, std::size_t index);
  Status run_reference(PreparedStep& prepared);
  Status run_strips(const Strips& strips);
  Status run_dynamic(PreparedStep& prepared, std::size_t index);
  Result<bool> run_dynamic_tuned(const PlanStep& step, std::size_t index, std::span<const Datum> inputs, std::span<Datum> outputs);
  Result<Datum> read_value(int value);
  Status store_value(int value, Datum datum);
  Status collect_outputs();

  const Plan& plan_;
  ExecutorOptions options_;
  std::list<std::unique_ptr<Instance>> instances_;  // most recently used first
  Instance* current_ = nullptr;
  std::span<const Datum> inputs_;
  std::vector<Datum> slots_;             // dynamic values
  Bindings run_bindings_;                // symbols bound by data in this run
  std::vector<Datum> outputs_;
  std::vector<Tensor> output_tensors_;   // where static outputs are written
  std::vector<std::unique_ptr<BodyExecutors>> bodies_;  // per step, null for most
  std::vector<std::unique_ptr<DynamicKernels>> dynamic_kernels_;  // per step, null for most
  std::vector<double> step_seconds_;
  std::int64_t runs_ = 0;
  std::int64_t body_runs_left_ = 0;      // of the whole plan's executor
};

}  // namespace fovea
