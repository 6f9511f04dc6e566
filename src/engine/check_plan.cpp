// SPDX-License-Identifier: Apache-2.0
#include "engine/check_plan.h"

#include <algorithm>

#include "base/checked_math.h"
#include "device/kernel_registry.h"
#include "engine/plugin_use.h"
#include "ops/kernel_context.h"
#include "ops/schema.h"

namespace fovea::engine {

namespace {

constexpr int kMaxViewDepth = 64;

class Checker {
 public:
  Checker(const Plan& plan, std::string_view device) : plan_(plan), device_(device) {}

  Status check(int depth) {
    if (depth > kMaxBodyDepth) return invalid_model("bodies nested deeper than ", kMaxBodyDepth);
    if (plan_.values.size() > INT32_MAX || plan_.steps.size() > INT32_MAX) return invalid_model("too many values or steps");
    FOVEA_RETURN_IF_ERROR(check_indices());
    for (const PlanValue& value : plan_.values) FOVEA_RETURN_IF_ERROR(check_value(value).with_context("value '" + value.name + "'"));
    for (const PlanStep& step : plan_.steps) FOVEA_RETURN_IF_ERROR(check_step(step).with_context("step '" + step.name + "'"));
    FOVEA_RETURN_IF_ERROR(check_order());
    for (std::size_t i = 0; i < plan_.bodies.size(); ++i) {
      FOVEA_RETURN_IF_ERROR(Checker(plan_.bodies[i], device_).check(depth + 1).with_context(str_cat("body ", i)));
    }
    return {};
  }

 private:
  bool is_value(int index) const { return index >= 0 && index < static_cast<int>(plan_.values.size()); }
  const PlanValue& value(int index) const { return plan_.values[static_cast<std::size_t>(index)]; }

  /// 1. All indices, views' chains included: after this value() is safe.
  Status check_indices() const {
    for (const auto* list : {&plan_.inputs, &plan_.outputs}) {
      const char* what = list == &plan_.inputs ? "input" : "output";
      for (int index : *list) {
        if (!is_value(index)) return invalid_model(what, " refers to value ", index, " of ", plan_.values.size());
      }
    }
    for (const PlanStep& step : plan_.steps) {
      for (const auto* list : {&step.inputs, &step.outputs}) {
        for (int index : *list) {
          if (index != -1 && !is_value(index)) return invalid_model("step '", step.name, "' refers to value ", index, " of ", plan_.values.size());
        }
      }
      for (int body : step.bodies) {
        if (body < 0 || body >= static_cast<int>(plan_.bodies.size())) {
          return invalid_model("step '", step.name, "' refers to body ", body, " of ", plan_.bodies.size());
        }
      }
    }
    for (const PlanValue& v : plan_.values) {
      if (v.view && !is_value(v.view->base)) return invalid_model("value '", v.name, "' is a view of value ", v.view->base);
      if (v.constant < -1 || v.constant >= static_cast<int>(plan_.constants.size())) {
        return invalid_model("value '", v.name, "' refers to constant ", v.constant, " of ", plan_.constants.size());
      }
    }
    for (const PlanValue& v : plan_.values) {
      int depth = 0;
      for (const PlanValue* at = &v; at->view; at = &value(at->view->base)) {
        if (++depth > kMaxViewDepth) return invalid_model("value '", v.name, "': chain of views is cyclic or longer than ", kMaxViewDepth);
      }
    }
    return {};
  }

  /// 2. One value: type, layout, constant, place in its base.
  Status check_value(const PlanValue& v) const {
    const bool tensor = v.type.kind == ValueType::Kind::Tensor;
    if (v.shape && v.shape->size() > kMaxRank) return invalid_model(v.shape->size(), " dimensions, at most ", kMaxRank);
    if (v.layout != Layout::plain && (!tensor || !v.shape || v.shape->size() < 3)) {
      return invalid_model("layout ", name(v.layout), " needs a known shape of rank 3 or more");
    }
    if (const auto shape = concrete(v)) {
      FOVEA_RETURN_IF_ERROR(bytes_of(v, *shape).status());
    }
    if (v.constant >= 0) {
      const Tensor& stored = plan_.constants[static_cast<std::size_t>(v.constant)];
      if (v.view || v.layout != Layout::plain) return invalid_model("a constant must be neither a view nor in layout ", name(v.layout));
      if (!tensor || stored.type() != v.type.element) return invalid_model("declared ", name(v.type.element), ", its constant is ", name(stored.type()));
      if (const auto shape = concrete(v); v.shape && (!shape || !(*shape == stored.shape()))) {
        return invalid_model("declared shape ", to_string(*v.shape), ", its constant is ", stored.shape().to_string());
      }
    }
    return v.view ? check_view(v, *v.view) : Status();
  }

  Status check_view(const PlanValue& v, const PlanView& view) const {
    const PlanValue& base = value(view.base);
    if (v.type.kind != ValueType::Kind::Tensor || base.type.kind != ValueType::Kind::Tensor || v.type.element != base.type.element ||
        v.type.element == DataType::undefined || v.type.element == DataType::string) {
      return invalid_model("view and base must be tensors of one element type, not string");
    }
    if (!v.shape || !base.shape) return invalid_model("view and base need known shapes");
    const auto own = concrete(v), whole = concrete(base);
    if (view.kind == PlanView::Kind::Reshape) {
      for (const Layout layout : {v.layout, base.layout}) {
        if (block_of(layout) != 1) return invalid_model("reshaped view of or in layout ", name(layout));
      }
      if (own && whole && own->elements() != whole->elements()) {
        return invalid_model("shape ", own->to_string(), " does not have the elements of its base, ", whole->to_string());
      }
      return {};
    }
    if (v.layout != base.layout) return invalid_model("layout ", name(v.layout), ", its base has ", name(base.layout));
    if (v.shape->size() != base.shape->size() || view.axis < 0 || view.axis >= static_cast<int>(v.shape->size())) {
      return invalid_model("slice along axis ", view.axis, " of rank ", base.shape->size(), ", own rank ", v.shape->size());
    }
    for (std::size_t axis = 0; axis < v.shape->size(); ++axis) {
      const Dim &mine = (*v.shape)[axis], &its = (*base.shape)[axis];
      if (static_cast<int>(axis) != view.axis) {
        if (mine.is_constant() && its.is_constant() && !(mine == its)) {
          return invalid_model("extent ", mine.constant(), " on axis ", axis, ", its base has ", its.constant());
        }
      } else if (view.offset.is_constant()) {
        std::int64_t end = view.offset.constant();
        const bool fits = end >= 0 && (!mine.is_constant() || (mine.constant() >= 0 && checked_add(end, mine.constant(), end))) &&
                          (!its.is_constant() || end <= its.constant());
        if (!fits) return invalid_model("slice at ", view.offset.constant(), " of extent ", mine.to_string(), " leaves its base of extent ", its.to_string());
      }
    }
    return {};
  }

  /// 3. One step: known here, used as its schema says.
  Status check_step(const PlanStep& step) const {
    const ops::OperatorSchema* schema = ops::find_schema(step.op);
    if (!schema) return Status(ErrorCode::Unsupported, "unknown operator '" + step.op + "'", "this engine may need a newer fovea");
    const bool has_bodies = (schema->traits & ops::kHasBodies) != 0;
    const auto inputs = static_cast<std::int64_t>(step.inputs.size());
    const std::int64_t captures = has_bodies ? step.attributes.get_int("captures") : 0;
    if (captures < 0 || captures > inputs) return invalid_model(step.op, ": ", captures, " captures of ", inputs, " inputs");
    FOVEA_RETURN_IF_ERROR(ops::check_against_schema(*schema, step.attributes, static_cast<int>(inputs - captures),
                                                    static_cast<int>(step.outputs.size()), static_cast<int>(step.bodies.size())));
    for (int i = 0; i < schema->min_inputs && !has_bodies; ++i) {  // Loop alone requires inputs that may be missing
      if (step.inputs[static_cast<std::size_t>(i)] == -1) return invalid_model(step.op, ": required input ", i, " is missing");
    }
    if (has_bodies) FOVEA_RETURN_IF_ERROR(check_bodies(step));
    const bool known = step.kernel == "reference" ? ops::find_reference(step.op) != nullptr : find_kernel(device_, step.op, step.kernel) != nullptr;
    if (!known) {
      return Status(ErrorCode::Unsupported, str_cat("this runtime has no kernel '", step.kernel, "' for ", step.op, " on device ", device_),
                    "build the engine again on this machine");
    }
    return {};
  }

  /// If takes its condition itself and hands only the captures on; Loop bodies also give the next condition.
  Status check_bodies(const PlanStep& step) const {
    const std::size_t count = step.op == "If" ? 2 : 1;
    if (step.bodies.size() != count) return invalid_model(step.op, ": expected ", count, " bodies, found ", step.bodies.size());
    for (int index : step.bodies) {
      const Plan& body = plan_.bodies[static_cast<std::size_t>(index)];
      const std::size_t inputs = step.inputs.size() - (step.op == "If" ? 1 : 0), outputs = step.outputs.size() + (step.op == "Loop" ? 1 : 0);
      if (body.inputs.size() != inputs) return invalid_model(step.op, ": body '", body.name, "' takes ", body.inputs.size(), " inputs, expected ", inputs);
      if (body.outputs.size() < outputs) return invalid_model(step.op, ": body '", body.name, "' gives ", body.outputs.size(), " outputs, expected ", outputs);
    }
    return {};
  }

  /// 4. Order: a value can be read once all steps that write into its memory, or into all of its base, are done.
  Status check_order() const {
    std::vector<int> writers(plan_.values.size(), 0);     // steps yet to write into the value or a view of it
    std::vector<char> ready(plan_.values.size(), 0), direct(plan_.values.size(), 0);
    for (std::size_t i = 0; i < plan_.values.size(); ++i) ready[i] = plan_.values[i].constant >= 0;
    for (int index : plan_.inputs) {
      if (value(index).constant >= 0 || value(index).view) return invalid_model("input '", value(index).name, "' is a constant or a view");
      if (value(index).layout != Layout::plain) return invalid_model("input '", value(index).name, "' in layout ", name(value(index).layout), ", callers give plain tensors");
      if (std::exchange(ready[at(index)], 1)) return invalid_model("input '", value(index).name, "' is listed twice");
    }
    for (const PlanStep& step : plan_.steps) {
      for (int output : step.outputs) {
        if (output == -1) continue;
        if (std::exchange(direct[at(output)], 1)) return invalid_model("value '", value(output).name, "' is produced twice");
        for (int v = output; v != -1; v = base_of(v)) {
          if (ready[at(v)]) return invalid_model("step '", step.name, "' writes into '", value(v).name, "', a constant or an input");
          ++writers[at(v)];
        }
      }
    }
    std::vector<int> pending = writers;
    const auto readable = [&](int v) {
      for (; v != -1; v = base_of(v)) {
        if (ready[at(v)] || (writers[at(v)] > 0 && pending[at(v)] == 0)) return true;
      }
      return false;
    };
    for (const PlanStep& step : plan_.steps) {
      for (int input : step.inputs) {
        if (input != -1 && !readable(input)) return invalid_model("step '", step.name, "' reads '", value(input).name, "' before it is produced");
      }
      for (int output : step.outputs) {
        for (int v = output; v != -1; v = base_of(v)) --pending[at(v)];
      }
    }
    for (int output : plan_.outputs) {
      if (!readable(output)) return invalid_model("output '", value(output).name, "' is never produced");
    }
    return {};
  }

  static std::size_t at(int index) { return static_cast<std::size_t>(index); }
  int base_of(int index) const { return value(index).view ? value(index).view->base : -1; }
  static std::optional<Shape> concrete(const PlanValue& v) { return v.shape ? to_concrete(*v.shape) : std::nullopt; }
  static Result<std::int64_t> bytes_of(const PlanValue& v, const Shape& shape) {
    auto bytes = checked_elements(shape.dims());
    if (!bytes.ok()) return invalid_model(bytes.status().message());
    // Blocked layouts pad channels to at most 16 times their number.
    std::int64_t padded = 0;
    if (!checked_mul(*bytes, static_cast<std::int64_t>(size_of(v.type.element)) * 16, padded)) {
      return invalid_model("shape ", shape.to_string(), " overflows");
    }
    return bytes;
  }

  const Plan& plan_;
  std::string_view device_;
};

}  // namespace

Status check_plan(const Plan& plan) {
  for (const auto& [symbol, range] : plan.symbols) {
    if (range.min < 0 || range.min > range.opt || range.opt > range.max) {
      return invalid_model("symbol '", symbol, "': range ", range.min, " to ", range.max, " with typical ", range.opt, " makes no sense");
    }
  }
  // Before the steps: which plugin is missing says more than which operator is unknown.
  FOVEA_RETURN_IF_ERROR(check_plugin_uses(plan));
  return Checker(plan, plan.device).check(0);
}

}  // namespace fovea::engine
