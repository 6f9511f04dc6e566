// SPDX-License-Identifier: Apache-2.0
#include "runtime/executor.h"

#include <omp.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <functional>

#include "base/layout_copy.h"
#include "device/dynamic_kernel.h"
#include "device/kernel_registry.h"
#include "runtime/confirm_shapes.h"

namespace fovea {

namespace {

using Clock = std::chrono::steady_clock;

/// Memory of one of a step's planned inputs: others will write there soon.
struct MemoryRange {
  const char* begin;
  std::size_t bytes;
  bool contains(const void* address) const {
    const auto at = static_cast<const char*>(address);
    return std::less_equal<>()(begin, at) && std::less<>()(at, begin + bytes);
  }
};

/// The same value, copied where it lies in one of the ranges: a kernel may hand its input on, alone or in a sequence.
Result<Datum> detached(Datum datum, std::span<const MemoryRange> ranges) {
  const auto inside = [&](const Datum& item) {
    return item.kind == Datum::Kind::Tensor && item.tensor.defined() &&
           std::any_of(ranges.begin(), ranges.end(), [&](const MemoryRange& range) { return range.contains(item.tensor.raw()); });
  };
  if (inside(datum)) {
    FOVEA_ASSIGN(Tensor copy, datum.tensor.clone());
    return Datum(std::move(copy));
  }
  if (datum.kind != Datum::Kind::Sequence || !datum.items || std::none_of(datum.items->begin(), datum.items->end(), inside)) return datum;
  std::vector<Datum> items;
  for (const Datum& item : *datum.items) {
    FOVEA_ASSIGN(Datum kept, detached(item, ranges));
    items.push_back(std::move(kept));
  }
  return Datum::make_sequence(std::move(items), datum.element_type);
}

/// The first kernel of an operator that needs no shapes beforehand, or null.
const DynamicKernel* find_dynamic(std::string_view device, std::string_view op) {
  for (const Kernel* kernel : kernels_of(device, op)) {
    if (const auto* dynamic = dynamic_cast<const DynamicKernel*>(kernel)) return dynamic;
  }
  return nullptr;
}

std::string describe(const Datum& datum) {
  if (datum.kind == Datum::Kind::None) return "nothing";
  if (datum.kind == Datum::Kind::Sequence) return str_cat("a sequence of ", name(datum.element_type));
  return str_cat(name(datum.tensor.type()), " ", datum.tensor.shape().to_string());
}

/// What a reference kernel made, in the memory that was planned for it: a kernel may hand its input on instead.
Status keep_in_place(const PlanStep& step, std::span<const Datum> planned, std::span<Datum> outputs) {
  for (std::size_t i = 0; i < planned.size(); ++i) {
    if (step.outputs[i] < 0) {
      outputs[i] = Datum();
      continue;
    }
    Datum& made = outputs[i];
    if (made.kind != Datum::Kind::Tensor || made.tensor.type() != planned[i].tensor.type() || !(made.tensor.shape() == planned[i].tensor.shape())) {
      return internal_error("output ", i, " is ", describe(made), ", planned was ", describe(planned[i]));
    }
    if (made.tensor.raw() != planned[i].tensor.raw()) {
      std::memcpy(const_cast<void*>(planned[i].tensor.raw()), made.tensor.raw(), made.tensor.bytes());
      made = planned[i];
    }
  }
  return {};
}

}  // namespace

/// One executor per body of a control-flow step.
class BodyExecutors : public ops::BodyRunner {
 public:
  BodyExecutors(const Plan& plan, const PlanStep& step, const ExecutorOptions& options) {
    ExecutorOptions body_options = options;
    body_options.fresh_outputs = true;
    body_options.profile = false;
    body_options.after_step = nullptr;
    body_runs_left_ = options.body_runs_left;
    for (int body : step.bodies) executors_.push_back(std::make_unique<Executor>(plan.bodies[index_of(body)], body_options));
  }
  int num_inputs(int body) const override { return static_cast<int>(executors_[index_of(body)]->plan().inputs.size()); }
  int num_outputs(int body) const override { return static_cast<int>(executors_[index_of(body)]->plan().outputs.size()); }
  Result<std::vector<Datum>> run(int body, std::vector<Datum> inputs) override {
    if (--*body_runs_left_ < 0) {
      return Status(ErrorCode::Unsupported, "control flow ran its bodies too often in one run; a loop without an end?");
    }
    Executor& executor = *executors_[index_of(body)];
    FOVEA_RETURN_IF_ERROR(executor.run(inputs));
    std::vector<Datum> outputs;
    for (int i = 0; i < num_outputs(body); ++i) outputs.push_back(executor.output(i));
    return outputs;
  }
  ValueType output_type(int body, int output) const override { return output_value(body, output).type; }
  std::optional<SymbolicShape> output_shape(int body, int output) const override { return output_value(body, output).shape; }

 private:
  const PlanValue& output_value(int body, int output) const {
    const Plan& plan = executors_[index_of(body)]->plan();
    return plan.values[index_of(plan.outputs[index_of(output)])];
  }

  std::vector<std::unique_ptr<Executor>> executors_;
  std::int64_t* body_runs_left_;
};

/// Kernels prepared for the shapes a data-dependent step met lately.
struct DynamicKernels {
  struct Entry {
    std::vector<Shape> shapes;
    std::unique_ptr<PreparedKernel> kernel;  // null: none could run
    std::vector<char> scratch;
  };
  static constexpr std::size_t kMaxEntries = 4;
  std::list<Entry> entries;  // most recently used first
};

Executor::Executor(const Plan& plan, const ExecutorOptions& options)
    : plan_(plan), options_(options), slots_(plan.values.size()), outputs_(plan.outputs.size()), output_tensors_(plan.outputs.size()),
      bodies_(plan.steps.size()), dynamic_kernels_(plan.steps.size()), step_seconds_(plan.steps.size()) {
  if (!options_.body_runs_left) options_.body_runs_left = &body_runs_left_;
}

Executor::~Executor() = default;

Status Executor::check_inputs(std::span<const Datum> inputs) const {
  if (inputs.size() != plan_.inputs.size()) return invalid_argument("expected ", plan_.inputs.size(), " inputs, found ", inputs.size());
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const PlanValue& declared = plan_.values[index_of(plan_.inputs[i])];
    if (declared.type.kind == ValueType::Kind::Tensor && declared.type.element != DataType::undefined &&
        (inputs[i].kind != Datum::Kind::Tensor || inputs[i].tensor.type() != declared.type.element)) {
      return invalid_argument("input '", declared.name, "': expected ", name(declared.type.element), ", found ", describe(inputs[i]));
    }
  }
  return {};
}

Status Executor::select(std::span<const Datum> inputs) {
  if (current_ && current_->matches(inputs)) return {};
  for (auto it = instances_.begin(); it != instances_.end(); ++it) {
    if (!(*it)->matches(inputs)) continue;
    instances_.splice(instances_.begin(), instances_, it);
    current_ = instances_.front().get();
    return {};
  }
  std::vector<Shape> shapes;
  for (const Datum& input : inputs) shapes.push_back(input.tensor.shape());
  current_ = nullptr;
  FOVEA_ASSIGN(auto instance, Instance::create(plan_, shapes, {options_.threads, options_.after_step != nullptr}));
  instances_.push_front(std::move(instance));
  while (static_cast<int>(instances_.size()) > std::max(1, options_.max_instances)) instances_.pop_back();
  current_ = instances_.front().get();
  // Own output memory belongs to the instance that was current.
  for (Tensor& tensor : output_tensors_) tensor = Tensor();
  return {};
}

Status Executor::prepare(std::span<const Datum> inputs) {
  FOVEA_RETURN_IF_ERROR(check_inputs(inputs));
  return select(inputs);
}

Status Executor::bind_outputs(std::span<const Datum> inputs, std::span<const Tensor> bound) {
  for (std::size_t i = 0; i < output_tensors_.size(); ++i) {
    const PlanValue& declared = plan_.values[index_of(plan_.outputs[i])];
    const TensorDesc* desc = current_->output_desc(static_cast<int>(i));
    if (i < bound.size() && bound[i].defined()) {
      if (!desc) return invalid_argument("output '", declared.name, "': its shape depends on data, so memory cannot be bound to it");
      if (bound[i].type() != desc->type || !(bound[i].shape() == desc->shape)) {
        return invalid_argument("output '", declared.name, "': bound memory is ", name(bound[i].type()), " ", bound[i].shape().to_string(),
                                ", expected ", name(desc->type), " ", desc->shape.to_string());
      }
      output_tensors_[i] = bound[i];
      continue;
    }
    if (!desc) continue;
    Tensor& own = output_tensors_[i];
    const bool fits = own.defined() && own.shape() == desc->shape && own.type() == desc->type;
    if (!fits || options_.fresh_outputs) {
      FOVEA_ASSIGN(own, Tensor::allocate(desc->type, desc->shape));
    }
  }
  current_->bind(inputs, output_tensors_);
  return {};
}

Status Executor::run(std::span<const Datum> inputs, std::span<const Tensor> bound) {
  FOVEA_RETURN_IF_ERROR(check_inputs(inputs));
  FOVEA_RETURN_IF_ERROR(select(inputs));
  FOVEA_RETURN_IF_ERROR(bind_outputs(inputs, bound));
  if (omp_get_max_threads() != options_.threads) omp_set_num_threads(options_.threads);
  inputs_ = inputs;
  body_runs_left_ = options_.max_body_runs;  // counts only where this is the whole plan's executor
  if (!run_bindings_.empty()) run_bindings_.clear();
  auto& steps = current_->steps();
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const auto start = options_.profile ? Clock::now() : Clock::time_point();
    if (const Strips* strips = current_->strips_from(static_cast<int>(i))) {
      FOVEA_RETURN_IF_ERROR(run_strips(*strips));
      i = static_cast<std::size_t>(strips->last());
      if (options_.profile) step_seconds_[i] += std::chrono::duration<double>(Clock::now() - start).count();
      continue;
    }
    Status status = run_step(steps[i], i);
    if (!status.ok()) return std::move(status).with_context(str_cat("step '", steps[i].step->name, "' (", steps[i].step->op, ")"));
    if (options_.after_step) FOVEA_RETURN_IF_ERROR(options_.after_step(i));
    if (options_.profile) step_seconds_[i] += std::chrono::duration<double>(Clock::now() - start).count();
  }
  ++runs_;
  return collect_outputs();
}

Status Executor::run_step(PreparedStep& prepared, std::size_t index) {
  switch (prepared.kind) {
    case PreparedStep::Kind::Tuned:
      return prepared.kernel->run({prepared.input_addresses.data(), prepared.output_addresses.data(), current_->scratch()});
    case PreparedStep::Kind::Reference: return run_reference(prepared);
    case PreparedStep::Kind::Dynamic: return run_dynamic(prepared, index);
  }
  return {};
}

Status Executor::run_reference(PreparedStep& prepared) {
  for (const Conversion& c : prepared.before) {
    FOVEA_RETURN_IF_ERROR(copy_layout(c.from, current_->address(c.source), c.to, current_->address(c.target)));
  }
  const std::vector<Datum> planned = prepared.outputs;
  ops::KernelContext context(prepared.step->op, prepared.step->attributes, prepared.inputs, prepared.outputs);
  FOVEA_RETURN_IF_ERROR(prepared.reference(context));
  FOVEA_RETURN_IF_ERROR(keep_in_place(*prepared.step, planned, prepared.outputs));
  for (const Conversion& c : prepared.after) {
    FOVEA_RETURN_IF_ERROR(copy_layout(c.from, current_->address(c.source), c.to, current_->address(c.target)));
  }
  return {};
}

Status Executor::run_strips(const Strips& strips) {
  std::vector<Datum> inputs, outputs;
  for (std::int64_t strip = 0; strip < strips.count(); ++strip) {
    for (int s = strips.first(); s <= strips.last(); ++s) {
      const PlanStep& step = plan_.steps[index_of(s)];
      const auto part = [&](std::span<const int> values, int i, auto&& cut) {
        const int v = values[index_of(i)];
        return v < 0 ? Datum() : cut(step, i, current_->desc(v), current_->address(v), strip);
      };
      inputs.clear();
      outputs.clear();
      for (int i = 0; i < static_cast<int>(step.inputs.size()); ++i) inputs.push_back(part(step.inputs, i, std::bind_front(&Strips::input, &strips)));
      for (int i = 0; i < static_cast<int>(step.outputs.size()); ++i) outputs.push_back(part(step.outputs, i, std::bind_front(&Strips::output, &strips)));
      const std::vector<Datum> planned = outputs;
      ops::KernelContext context(step.op, step.attributes, inputs, outputs);
      Status status = current_->steps()[index_of(s)].reference(context);
      if (status.ok()) status = keep_in_place(step, planned, outputs);
      if (!status.ok()) return std::move(status).with_context(str_cat("step '", step.name, "' (", step.op, ")"));
    }
  }
  return {};
}

Result<Datum> Executor::read_value(int value) {
  if (value < 0) return Datum();
  const PlanValue& declared = plan_.values[index_of(value)];
  if (declared.constant >= 0) return Datum(plan_.constants[index_of(declared.constant)]);
  if (!current_->is_static(value)) {
    for (std::size_t i = 0; i < plan_.inputs.size(); ++i) {
      if (plan_.inputs[i] == value) return inputs_[i];
    }
    return slots_[index_of(value)];
  }
  const TensorDesc& desc = current_->desc(value);
  if (desc.is_plain_dense()) return Datum(Tensor::borrow(desc.type, desc.shape, current_->address(value)));
  FOVEA_ASSIGN(Tensor plain, Tensor::allocate(desc.type, desc.shape));
  FOVEA_RETURN_IF_ERROR(copy_layout(desc, current_->address(value), TensorDesc::dense(desc.type, desc.shape), plain.raw()));
  return Datum(plain);
}

Status Executor::store_value(int value, Datum datum) {
  const PlanValue& declared = plan_.values[index_of(value)];
  if (current_->is_static(value)) {
    const TensorDesc& desc = current_->desc(value);
    if (datum.kind != Datum::Kind::Tensor || datum.tensor.type() != desc.type || !(datum.tensor.shape() == desc.shape)) {
      return invalid_argument("'", declared.name, "' is ", describe(datum), ", the model says ", name(desc.type), " ", desc.shape.to_string());
    }
    if (datum.tensor.raw() == current_->address(value)) return {};
    return copy_layout(TensorDesc::dense(desc.type, desc.shape), datum.tensor.raw(), desc, current_->address(value));
  }
  if (datum.kind == Datum::Kind::Tensor && declared.shape) {
    const Shape& actual = datum.tensor.shape();
    bool fits = actual.rank() == static_cast<int>(declared.shape->size());
    for (int axis = 0; fits && axis < actual.rank(); ++axis) {
      const Dim& dim = (*declared.shape)[index_of(axis)];
      if (dim.is_symbol() && !run_bindings_.contains(dim.symbol_name()) && !current_->bindings().contains(dim.symbol_name())) {
        run_bindings_.emplace(dim.symbol_name(), actual[axis]);
      } else if (dim.is_constant()) {
        fits = dim.constant() == actual[axis];
      }
    }
    if (!fits) return invalid_argument("'", declared.name, "' is ", describe(datum), ", the model says ", to_string(*declared.shape));
  }
  slots_[index_of(value)] = std::move(datum);
  return {};
}

/// True when a tuned kernel did it: all tensors numeric, and the outputs' shapes known once the inputs are.
Result<bool> Executor::run_dynamic_tuned(const PlanStep& step, std::size_t index, std::span<const Datum> inputs, std::span<Datum> outputs) {
  if (step.kernel == "reference" || !step.bodies.empty()) return false;
  const auto numeric = [](const Datum& datum) {
    return !datum.present() || (datum.kind == Datum::Kind::Tensor && datum.tensor.type() != DataType::string);
  };
  if (!std::all_of(inputs.begin(), inputs.end(), numeric)) return false;
  Bindings bindings = current_->bindings();
  bindings.insert(run_bindings_.begin(), run_bindings_.end());
  std::vector<TensorDesc> input_descs, output_descs;
  std::vector<Tensor> constants;
  std::vector<Shape> key;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const Tensor& tensor = inputs[i].tensor;
    input_descs.push_back(tensor.defined() ? TensorDesc::dense(tensor.type(), tensor.shape()) : TensorDesc());
    const int v = step.inputs[i];
    const int constant = v < 0 ? -1 : plan_.values[index_of(v)].constant;
    constants.push_back(constant < 0 ? Tensor() : plan_.constants[index_of(constant)]);
    key.push_back(tensor.shape());
  }
  for (std::size_t o = 0; o < step.outputs.size(); ++o) {
    const int v = step.outputs[o];
    if (v < 0) {
      output_descs.emplace_back();
      continue;
    }
    const PlanValue& declared = plan_.values[index_of(v)];
    if (!declared.shape || declared.type.element == DataType::undefined) return false;
    const auto shape = evaluate(*declared.shape, bindings);
    if (!shape.ok()) return false;
    output_descs.push_back(TensorDesc::dense(declared.type.element, *shape));
  }
  if (!dynamic_kernels_[index]) dynamic_kernels_[index] = std::make_unique<DynamicKernels>();
  auto& entries = dynamic_kernels_[index]->entries;
  auto entry = std::find_if(entries.begin(), entries.end(), [&](const auto& e) { return e.shapes == key; });
  if (entry == entries.end()) {
    DynamicKernels::Entry fresh{key, nullptr, {}};
    const Problem problem{step.op, step.attributes, input_descs, output_descs, constants, options_.threads};
    const bool confirmed = confirm_shapes(problem).ok();  // else the reference, which finds its own shapes
    for (const Kernel* candidate : kernels_of(plan_.device, step.op)) {
      if (!confirmed || !candidate->can_run(problem).ok()) continue;
      auto prepared = candidate->prepare(problem);
      if (!prepared.ok()) continue;
      fresh.kernel = *std::move(prepared);
      fresh.scratch.resize(fresh.kernel->scratch_bytes() + 64);
      break;
    }
    entries.push_front(std::move(fresh));
    if (entries.size() > DynamicKernels::kMaxEntries) entries.pop_back();
    entry = entries.begin();
  } else {
    entries.splice(entries.begin(), entries, entry);
    entry = entries.begin();
  }
  if (!entry->kernel) return false;
  std::vector<const void*> input_addresses;
  std::vector<void*> output_addresses;
  for (const Datum& input : inputs) input_addresses.push_back(input.tensor.raw());
  for (std::size_t o = 0; o < outputs.size(); ++o) {
    if (output_descs[o].type != DataType::undefined) {
      FOVEA_ASSIGN(Tensor tensor, Tensor::allocate(output_descs[o].type, output_descs[o].shape));
      outputs[o] = Datum(std::move(tensor));
    }
    output_addresses.push_back(outputs[o].tensor.raw());
  }
  const auto scratch = (reinterpret_cast<std::uintptr_t>(entry->scratch.data()) + 63) / 64 * 64;
  FOVEA_RETURN_IF_ERROR(entry->kernel->run({input_addresses.data(), output_addresses.data(), reinterpret_cast<void*>(scratch)}));
  return true;
}

Status Executor::run_dynamic(PreparedStep& prepared, std::size_t index) {
  const PlanStep& step = *prepared.step;
  std::vector<Datum> inputs, outputs(step.outputs.size());
  std::vector<MemoryRange> planned;
  for (int v : step.inputs) {
    FOVEA_ASSIGN(Datum datum, read_value(v));
    if (v >= 0 && plan_.values[index_of(v)].constant < 0 && current_->is_static(v)) {
      planned.push_back({static_cast<const char*>(datum.tensor.raw()), datum.tensor.bytes()});
    }
    inputs.push_back(std::move(datum));
  }
  if (!step.bodies.empty() && !bodies_[index]) bodies_[index] = std::make_unique<BodyExecutors>(plan_, step, options_);
  FOVEA_ASSIGN(const bool done, run_dynamic_tuned(step, index, inputs, outputs));
  if (!done) {
    ops::KernelContext context(step.op, step.attributes, inputs, outputs, bodies_[index].get());
    const DynamicKernel* kernel = step.kernel == "reference" ? nullptr : find_dynamic(plan_.device, step.op);
    const ops::ReferenceKernel reference = ops::find_reference(step.op);
    if (!kernel && !reference) return unsupported("operator ", step.op, " has no kernel in this runtime");
    FOVEA_RETURN_IF_ERROR(kernel ? kernel->run_dynamic(context) : reference(context));
  }
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    if (step.outputs[i] < 0) continue;
    FOVEA_ASSIGN(Datum kept, detached(std::move(outputs[i]), planned));
    FOVEA_RETURN_IF_ERROR(store_value(step.outputs[i], std::move(kept)));
  }
  for (int v : prepared.releases) slots_[index_of(v)] = Datum();
  return {};
}

Status Executor::collect_outputs() {
  for (std::size_t i = 0; i < plan_.outputs.size(); ++i) {
    const int v = plan_.outputs[i];
    if (!current_->is_static(v)) {
      FOVEA_ASSIGN(outputs_[i], read_value(v));
      continue;
    }
    if (!current_->output_in_place(static_cast<int>(i))) {
      const TensorDesc& desc = current_->desc(v);
      FOVEA_RETURN_IF_ERROR(copy_layout(desc, current_->address(v), TensorDesc::dense(desc.type, desc.shape), output_tensors_[i].raw()));
    }
    if (outputs_[i].tensor.raw() != output_tensors_[i].raw() || !(outputs_[i].tensor.shape() == output_tensors_[i].shape())) {
      outputs_[i] = Datum(output_tensors_[i]);
    }
  }
  return {};
}

}  // namespace fovea
