// SPDX-License-Identifier: Apache-2.0
// The public Session over an Executor.
#include "fovea/session.h"

#include <thread>

#include "base/check.h"
#include "base/guard.h"
#include "runtime/executor.h"
#include "runtime/thread_count.h"
#include "runtime/work_estimate.h"

namespace fovea {

struct Session::State {
  State(std::shared_ptr<const Plan> shared, const ExecutorOptions& options)
      : plan(std::move(shared)), executor(*plan, options), inputs(plan->inputs.size()), bound(plan->outputs.size()) {}

  std::shared_ptr<const Plan> plan;
  Executor executor;
  std::vector<Datum> inputs;
  std::vector<Tensor> bound;
};

namespace {

std::string listed(const Plan& plan, const std::vector<int>& values) {
  std::string text;
  for (int v : values) text += (text.empty() ? "'" : ", '") + plan.values[static_cast<std::size_t>(v)].name + "'";
  return text;
}

Result<std::size_t> find(const Plan& plan, const std::vector<int>& values, std::string_view name, const char* what) {
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (plan.values[static_cast<std::size_t>(values[i])].name == name) return i;
  }
  return invalid_argument("no ", what, " named '", name, "'; there are: ", listed(plan, values));
}

}  // namespace

Session::Session(std::unique_ptr<State> state) : state_(std::move(state)) {}
Session::Session(Session&&) noexcept = default;
Session& Session::operator=(Session&&) noexcept = default;
Session::~Session() = default;

Result<Session> Session::create(const Engine& engine, const SessionOptions& options) {
  ExecutorOptions executor_options;
  executor_options.threads = resolve_thread_count(options.threads);
  executor_options.max_instances = options.max_shape_instances;
  executor_options.profile = options.profile;
  return Session(std::make_unique<State>(engine.shared_plan(), executor_options));
}

Status Session::set_input(std::string_view name, const Tensor& tensor) {
  FOVEA_ASSIGN(const std::size_t index, find(*state_->plan, state_->plan->inputs, name, "input"));
  const PlanValue& declared = state_->plan->values[static_cast<std::size_t>(state_->plan->inputs[index])];
  if (!tensor.defined() || tensor.type() != declared.type.element) {
    return invalid_argument("input '", name, "': expected ", fovea::name(declared.type.element), ", found ", fovea::name(tensor.type()));
  }
  if (declared.shape && static_cast<int>(declared.shape->size()) != tensor.rank()) {
    return invalid_argument("input '", name, "': expected shape ", to_string(*declared.shape), ", found ", tensor.shape().to_string());
  }
  state_->inputs[index] = Datum(tensor);
  return {};
}

Status Session::bind_output(std::string_view name, const Tensor& tensor) {
  FOVEA_ASSIGN(const std::size_t index, find(*state_->plan, state_->plan->outputs, name, "output"));
  state_->bound[index] = tensor;
  return {};
}

Status Session::prepare() {
  for (std::size_t i = 0; i < state_->inputs.size(); ++i) {
    if (!state_->inputs[i].present()) {
      return invalid_argument("input '", state_->plan->values[static_cast<std::size_t>(state_->plan->inputs[i])].name, "' is not set");
    }
  }
  return guarded([&] { return state_->executor.prepare(state_->inputs); });
}

Status Session::run() {
  FOVEA_RETURN_IF_ERROR(prepare());
  return guarded([&] { return state_->executor.run(state_->inputs, state_->bound); });
}

Result<Tensor> Session::output(std::string_view name) const {
  FOVEA_ASSIGN(const std::size_t index, find(*state_->plan, state_->plan->outputs, name, "output"));
  const Datum& datum = state_->executor.output(static_cast<int>(index));
  if (datum.kind != Datum::Kind::Tensor) return invalid_argument("output '", name, "' holds no tensor; run() the session first");
  return datum.tensor;
}

std::int64_t Session::planned_bytes() const {
  const Instance* instance = state_->executor.current();
  return instance ? static_cast<std::int64_t>(instance->arena_bytes()) : 0;
}

std::vector<StepProfile> Session::profile() const {
  std::vector<StepProfile> rows;
  const std::int64_t runs = state_->executor.runs();
  for (std::size_t i = 0; i < state_->plan->steps.size(); ++i) {
    const PlanStep& step = state_->plan->steps[i];
    StepProfile row{step.name, step.op, step.kernel};
    row.runs = runs;
    row.milliseconds = runs > 0 ? state_->executor.step_seconds()[i] * 1e3 / static_cast<double>(runs) : 0;
    if (const Instance* instance = state_->executor.current()) {
      const auto describe = [&](const std::vector<int>& values) {
        std::vector<TensorDesc> descs;
        for (int v : values) descs.push_back(v >= 0 && instance->is_static(v) ? instance->desc(v) : TensorDesc());
        return descs;
      };
      const Work work = estimate_work(step.op, step.attributes, describe(step.inputs), describe(step.outputs));
      row.flops = work.flops;
      row.bytes = work.bytes;
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

}  // namespace fovea
