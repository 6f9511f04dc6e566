// SPDX-License-Identifier: Apache-2.0
// Order of work: symbols -> descriptors -> kernels (they tell scratch and layout needs) -> places -> addresses.
#include "runtime/instance.h"

#include <algorithm>

#include "base/checked_math.h"
#include "base/layout_copy.h"
#include "device/kernel_registry.h"
#include "ops/schema.h"
#include "runtime/confirm_shapes.h"

namespace fovea {

namespace {

Result<Shape> evaluate_checked(const SymbolicShape& shape, const Bindings& bindings) {
  FOVEA_ASSIGN(const Shape concrete, evaluate(shape, bindings));
  FOVEA_RETURN_IF_ERROR(checked_elements(concrete.dims()).status());
  return concrete;
}

bool wanted(const PlanValue& value) {
  return value.type.kind == ValueType::Kind::Tensor && value.type.element != DataType::undefined &&
         value.type.element != DataType::string && value.shape.has_value();
}

}  // namespace

Result<std::unique_ptr<Instance>> Instance::create(const Plan& plan, const std::vector<Shape>& input_shapes, const InstanceOptions& options) {
  std::unique_ptr<Instance> instance(new Instance(plan));
  instance->input_shapes_ = input_shapes;
  FOVEA_RETURN_IF_ERROR(instance->bind_symbols(input_shapes));
  FOVEA_RETURN_IF_ERROR(instance->describe_values());
  FOVEA_RETURN_IF_ERROR(instance->prepare_steps(options));
  if (!options.observed) {
    instance->share_in_place();
    instance->find_strips();
  }
  instance->place_outside_arena();
  FOVEA_RETURN_IF_ERROR(instance->place_values(options));
  instance->find_releases();
  return instance;
}

bool Instance::matches(std::span<const Datum> inputs) const {
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (inputs[i].kind == Datum::Kind::Tensor && !(inputs[i].tensor.shape() == input_shapes_[i])) return false;
  }
  return true;
}

Status Instance::bind_symbols(const std::vector<Shape>& input_shapes) {
  for (std::size_t i = 0; i < plan_.inputs.size(); ++i) {
    const PlanValue& input = plan_.values[index_of(plan_.inputs[i])];
    if (!wanted(input)) continue;
    const Shape& given = input_shapes[i];
    if (given.rank() != static_cast<int>(input.shape->size())) {
      return invalid_argument("input '", input.name, "': expected shape ", to_string(*input.shape), ", found ", given.to_string());
    }
    for (int axis = 0; axis < given.rank(); ++axis) {
      const Dim& dim = (*input.shape)[index_of(axis)];
      if (dim.is_symbol()) bindings_.emplace(dim.symbol_name(), given[axis]);
    }
  }
  for (std::size_t i = 0; i < plan_.inputs.size(); ++i) {
    const PlanValue& input = plan_.values[index_of(plan_.inputs[i])];
    if (!wanted(input)) continue;
    const auto expected = evaluate(*input.shape, bindings_);
    if (!expected.ok() || !(*expected == input_shapes[i])) {
      return invalid_argument("input '", input.name, "': expected shape ", to_string(*input.shape), ", found ", input_shapes[i].to_string());
    }
  }
  for (const auto& [symbol, range] : plan_.symbols) {
    const auto it = bindings_.find(symbol);
    if (it != bindings_.end() && (it->second < range.min || it->second > range.max)) {
      return invalid_argument("extent '", symbol, "': expected ", range.min, " to ", range.max, " as this engine was built for, found ", it->second)
          .with_hint("build again with --min-shapes/--max-shapes that include it");
    }
  }
  return {};
}

Status Instance::describe_values() {
  descs_.resize(plan_.values.size());
  roots_.resize(plan_.values.size());
  places_.resize(plan_.values.size());
  for (std::size_t v = 0; v < plan_.values.size(); ++v) {
    const PlanValue& value = plan_.values[v];
    roots_[v] = static_cast<int>(v);
    if (value.constant >= 0) {
      const Tensor& tensor = plan_.constants[index_of(value.constant)];
      if (tensor.type() != DataType::string) descs_[v] = TensorDesc::dense(tensor.type(), tensor.shape());
      continue;
    }
    if (!wanted(value)) continue;
    const auto shape = evaluate_checked(*value.shape, bindings_);
    if (!shape.ok()) {
      if (shape.status().code() == ErrorCode::NotFound) continue;  // depends on data
      return Status(shape.status()).with_context("value '" + value.name + "'");
    }
    descs_[v] = TensorDesc::dense(value.type.element, *shape, value.layout);
  }
  // Views take their base's strides. A chain is short, so walk it from its root for each value.
  for (std::size_t v = 0; v < plan_.values.size(); ++v) {
    std::vector<int> chain;
    for (int at = static_cast<int>(v); plan_.values[index_of(at)].view; at = plan_.values[index_of(at)].view->base) chain.push_back(at);
    if (chain.empty()) continue;
    int base = plan_.values[index_of(chain.back())].view->base;
    std::size_t offset = 0;
    TensorDesc desc = descs_[index_of(base)];
    roots_[v] = base;
    for (auto it = chain.rbegin(); it != chain.rend(); ++it) {
      const PlanView& view = *plan_.values[index_of(*it)].view;
      const TensorDesc& own = descs_[index_of(*it)];
      if (desc.type == DataType::undefined || own.type == DataType::undefined) return internal_error("view '", plan_.values[v].name, "' of a value without a known shape");
      if (view.kind == PlanView::Kind::Reshape) {
        if (own.shape.elements() != desc.shape.elements() || !desc.is_dense()) return internal_error("view '", plan_.values[v].name, "' reshapes a strided value");
        desc = TensorDesc::dense(desc.type, own.shape, own.layout);
      } else {
        FOVEA_ASSIGN(const std::int64_t begin, view.offset.evaluate(bindings_));
        const int block = view.axis == 1 ? block_of(desc.layout) : 1;
        if (begin < 0 || begin % block != 0 || begin + own.shape[view.axis] > desc.shape[view.axis]) return internal_error("view '", plan_.values[v].name, "' leaves its base");
        offset += static_cast<std::size_t>(begin / block * desc.strides[view.axis]) * size_of(desc.type);
        desc.shape[view.axis] = own.shape[view.axis];
        if (!(desc.shape == own.shape)) return internal_error("view '", plan_.values[v].name, "' has another shape than its base");
      }
    }
    descs_[v] = desc;
    places_[v].offset = offset;
  }
  return {};
}

Status Instance::prepare_steps(const InstanceOptions& options) {
  steps_.reserve(plan_.steps.size());
  std::vector<TensorDesc> inputs, outputs;
  std::vector<Tensor> constants;
  for (const PlanStep& step : plan_.steps) {
    PreparedStep& prepared = steps_.emplace_back();
    prepared.step = &step;
    const auto known = [&](int v) { return v < 0 || is_static(v); };
    if (!step.bodies.empty() || !std::all_of(step.inputs.begin(), step.inputs.end(), known) ||
        !std::all_of(step.outputs.begin(), step.outputs.end(), known)) {
      continue;
    }
    if (step.kernel == "reference") {
      FOVEA_RETURN_IF_ERROR(prepare_reference(prepared).with_context("step '" + step.name + "'"));
      continue;
    }
    inputs.clear();
    outputs.clear();
    constants.clear();
    for (int v : step.inputs) {
      inputs.push_back(v < 0 ? TensorDesc() : desc(v));
      const int constant = v < 0 ? -1 : plan_.values[index_of(v)].constant;
      constants.push_back(constant < 0 ? Tensor() : plan_.constants[index_of(constant)]);
    }
    for (int v : step.outputs) outputs.push_back(v < 0 ? TensorDesc() : desc(v));
    const Problem problem{step.op, step.attributes, inputs, outputs, constants, options.threads};
    // The compiler's choice first; at other extents than it was made for it may decline, then the others in
    // order, and the reference kernel takes what nobody else does.
    std::vector<const Kernel*> candidates;
    if (const Kernel* chosen = find_kernel(plan_.device, step.op, step.kernel)) candidates.push_back(chosen);
    if (candidates.empty()) return Status(ErrorCode::Unsupported, str_cat("step '", step.name, "': kernel '", step.kernel, "' for ", step.op, " is not part of this runtime"), "build the engine again with this version");
    for (const Kernel* other : kernels_of(plan_.device, step.op)) {
      if (other != candidates.front()) candidates.push_back(other);
    }
    // Tuned kernels believe the shapes they are given; where the operator's rule contradicts them, only the reference
    // may run: it finds its own, and the executor compares.
    const bool confirmed = confirm_shapes(problem).ok();
    for (const Kernel* candidate : candidates) {
      if (!confirmed || !candidate->can_run(problem).ok()) continue;
      auto kernel = candidate->prepare(problem);
      if (!kernel.ok()) {
        if (kernel.status().code() == ErrorCode::Unsupported) continue;
        return std::move(kernel).status().with_context("step '" + step.name + "'");
      }
      prepared.kernel = *std::move(kernel);
      prepared.maker = candidate;
      prepared.kind = PreparedStep::Kind::Tuned;
      prepared.input_addresses.resize(step.inputs.size());
      prepared.output_addresses.resize(step.outputs.size());
      break;
    }
    if (!prepared.kernel) FOVEA_RETURN_IF_ERROR(prepare_reference(prepared).with_context("step '" + step.name + "'"));
  }
  return {};
}

/// True where a reference works on a plain copy of the value.
bool Instance::converts(const PreparedStep& prepared, int v) const {
  return v >= 0 && prepared.kind == PreparedStep::Kind::Reference && !prepared.in_memory_order && !desc(v).is_plain_dense();
}

Status Instance::prepare_reference(PreparedStep& prepared) {
  prepared.kind = PreparedStep::Kind::Reference;
  prepared.reference = ops::find_reference(prepared.step->op);
  if (!prepared.reference) return unsupported("operator ", prepared.step->op, " has no kernel in this runtime");
  prepared.inputs.resize(prepared.step->inputs.size());
  prepared.outputs.resize(prepared.step->outputs.size());
  prepared.in_memory_order = works_in_memory_order(*prepared.step);
  if (prepared.in_memory_order) return {};
  const auto convert = [&](int v, bool input) {
    if (!converts(prepared, v)) return;
    const TensorDesc plain = TensorDesc::dense(desc(v).type, desc(v).shape);
    // Places are filled in once the arena is planned.
    if (input) {
      prepared.before.push_back({desc(v), plain, {}, {}});
    } else {
      prepared.after.push_back({plain, desc(v), {}, {}});
    }
  };
  for (int v : prepared.step->inputs) convert(v, true);
  for (int v : prepared.step->outputs) convert(v, false);
  return {};
}

/// Elementwise work does not mind in which order the axes stand, as long as all tensors agree: those of the output's shape
/// are dense and channels last, and what broadcasts beside them has one axis, which may then stand anywhere.
bool Instance::works_in_memory_order(const PlanStep& step) const {
  const ops::OperatorSchema* schema = ops::find_schema(step.op);
  if (!schema || !(schema->traits & ops::kElementwise) || step.outputs.empty() || step.outputs[0] < 0) return false;
  const TensorDesc& made = desc(step.outputs[0]);
  if (made.layout != Layout::nhwc) return false;
  const auto whole = [&](const TensorDesc& d) { return d.layout == Layout::nhwc && d.is_dense() && d.shape == made.shape; };
  const auto one_axis = [&](const TensorDesc& d) {
    return d.is_plain_dense() && d.shape.rank() <= made.shape.rank() && std::count_if(d.shape.begin(), d.shape.end(), [](std::int64_t extent) { return extent != 1; }) <= 1;
  };
  return std::all_of(step.outputs.begin(), step.outputs.end(), [&](int v) { return v < 0 || whole(desc(v)); }) &&
         std::all_of(step.inputs.begin(), step.inputs.end(), [&](int v) { return v < 0 || whole(desc(v)) || one_axis(desc(v)); });
}

void Instance::find_releases() {
  std::vector<int> last(plan_.values.size(), -1);
  for (std::size_t s = 0; s < steps_.size(); ++s) {
    for (int v : steps_[s].step->inputs) if (v >= 0) last[index_of(v)] = static_cast<int>(s);
    for (int v : steps_[s].step->outputs) if (v >= 0) last[index_of(v)] = static_cast<int>(s);
  }
  for (int v : plan_.outputs) last[index_of(v)] = -1;
  for (int v : plan_.inputs) last[index_of(v)] = -1;
  for (std::size_t v = 0; v < last.size(); ++v) {
    if (last[v] >= 0 && !is_static(static_cast<int>(v)) && plan_.values[v].constant < 0) steps_[index_of(last[v])].releases.push_back(static_cast<int>(v));
  }
}

const TensorDesc* Instance::output_desc(int index) const {
  const int v = plan_.outputs[index_of(index)];
  return is_static(v) ? &desc(v) : nullptr;
}

void* Instance::address(const Place& place) const {
  switch (place.kind) {
    case Place::Kind::Arena: return arena_.get() + place.offset;
    case Place::Kind::Input: return static_cast<char*>(const_cast<void*>(input_addresses_[index_of(place.index)])) + place.offset;
    case Place::Kind::Output: return static_cast<char*>(output_addresses_[index_of(place.index)]) + place.offset;
    case Place::Kind::Constant: return static_cast<char*>(const_cast<void*>(plan_.constants[index_of(place.index)].raw())) + place.offset;
    case Place::Kind::None: return nullptr;
  }
  return nullptr;
}

Datum Instance::borrow(const TensorDesc& desc, const Place& place) const {
  return Datum(Tensor::borrow(desc.type, desc.shape, address(place)));
}

/// The tensor of a step that works in memory order: axis 1 of `rank` axes stands last.
Datum Instance::borrow_in_memory_order(int value, int rank) const {
  std::vector<std::int64_t> extents(index_of(rank), 1);
  const Shape& shape = desc(value).shape;
  std::copy_backward(shape.begin(), shape.end(), extents.end());
  std::rotate(extents.begin() + 1, extents.begin() + 2, extents.end());
  return Datum(Tensor::borrow(desc(value).type, Shape(extents), address(value)));
}

void Instance::bind(std::span<const Datum> inputs, std::span<const Tensor> outputs) {
  bool changed = !bound_;
  input_addresses_.resize(inputs.size());
  output_addresses_.resize(outputs.size());
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const void* now = inputs[i].tensor.raw();
    changed = changed || input_addresses_[i] != now;
    input_addresses_[i] = now;
  }
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    void* now = const_cast<void*>(outputs[i].raw());
    changed = changed || output_addresses_[i] != now;
    output_addresses_[i] = now;
  }
  if (!changed) return;
  bound_ = true;
  for (PreparedStep& prepared : steps_) {
    const PlanStep& step = *prepared.step;
    if (prepared.kind == PreparedStep::Kind::Tuned) {
      for (std::size_t i = 0; i < step.inputs.size(); ++i) prepared.input_addresses[i] = step.inputs[i] < 0 ? nullptr : address(step.inputs[i]);
      for (std::size_t i = 0; i < step.outputs.size(); ++i) prepared.output_addresses[i] = step.outputs[i] < 0 ? nullptr : address(step.outputs[i]);
    } else if (prepared.in_memory_order) {
      const int rank = desc(step.outputs[0]).shape.rank();
      for (std::size_t i = 0; i < step.inputs.size(); ++i) prepared.inputs[i] = step.inputs[i] < 0 ? Datum() : borrow_in_memory_order(step.inputs[i], rank);
      for (std::size_t i = 0; i < step.outputs.size(); ++i) prepared.outputs[i] = step.outputs[i] < 0 ? Datum() : borrow_in_memory_order(step.outputs[i], rank);
    } else if (prepared.kind == PreparedStep::Kind::Reference) {
      std::size_t before = 0, after = 0;
      for (std::size_t i = 0; i < step.inputs.size(); ++i) {
        const int v = step.inputs[i];
        if (v < 0) continue;
        const bool plain = !converts(prepared, v);
        prepared.inputs[i] = plain ? borrow(desc(v), place(v)) : borrow(prepared.before[before].to, prepared.before[before].target);
        before += plain ? 0 : 1;
      }
      for (std::size_t i = 0; i < step.outputs.size(); ++i) {
        const int v = step.outputs[i];
        if (v < 0) continue;
        const bool plain = !converts(prepared, v);
        prepared.outputs[i] = plain ? borrow(desc(v), place(v)) : borrow(prepared.after[after].from, prepared.after[after].source);
        after += plain ? 0 : 1;
      }
    }
  }
}

}  // namespace fovea
