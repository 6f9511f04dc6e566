// SPDX-License-Identifier: Apache-2.0
// Plans as an attacker would write them: well-formed files whose steps, shapes, views, attributes and kernels do not
// belong together.
#pragma once

#include <algorithm>
#include <utility>

#include "device/kernel_registry.h"
#include "engine/plan.h"
#include "errors/mutate.h"
#include "ops/schema.h"

namespace fovea::test {

class PlanMutator {
 public:
  explicit PlanMutator(Mutator& random) : random_(random) {}

  /// One to three changes, in the plan or one of its bodies.
  void mutate(Plan& plan) {
    for (std::uint64_t count = 1 + random_.below(3); count > 0; --count) {
      Plan& target = !plan.bodies.empty() && random_.below(3) == 0 ? plan.bodies[random_.below(plan.bodies.size())] : plan;
      if (!target.values.empty() && !target.steps.empty()) change(target);
    }
  }

 private:
  void change(Plan& plan) {
    PlanStep& step = plan.steps[random_.below(plan.steps.size())];
    PlanValue& value = plan.values[random_.below(plan.values.size())];
    switch (random_.below(14)) {
      case 0: if (!step.inputs.empty()) step.inputs[random_.below(step.inputs.size())] = any_value(plan); break;
      case 1: if (!step.outputs.empty()) step.outputs[random_.below(step.outputs.size())] = any_value(plan); break;
      case 2: if (!step.inputs.empty()) std::swap(step.inputs.front(), step.inputs[random_.below(step.inputs.size())]); break;
      case 3: step.inputs.push_back(any_value(plan)); break;
      case 4: if (!step.inputs.empty()) step.inputs.pop_back(); break;
      case 5: case 6:
        if (value.shape && !value.shape->empty()) (*value.shape)[random_.below(value.shape->size())] = any_extent();
        break;
      case 7: change_rank(value); break;
      case 8: value.type.element = static_cast<DataType>(1 + random_.below(26)); break;
      case 9: value.layout = static_cast<Layout>(random_.below(4)); break;
      case 10: change_view(plan, value); break;
      case 11: case 12: change_attribute(step); break;
      default: change_operator(plan, step); break;
    }
  }

  int any_value(const Plan& plan) { return static_cast<int>(random_.below(plan.values.size() + 1)) - 1; }

  std::int64_t any_number() {
    constexpr std::int64_t kNumbers[] = {0, 1, 2, 3, 4, 5, 7, 8, 16, 17, 64, 100, -1, -2, -3, INT32_MAX, INT32_MIN, INT64_MAX, INT64_MIN};
    return kNumbers[random_.below(std::size(kNumbers))];
  }
  Dim any_extent() {
    switch (random_.below(6)) {
      case 0: return Dim::symbol("N");
      case 1: return Dim::symbol("Q");
      case 2: return floor_div(Dim::symbol("H"), Dim(any_number()));
      default: return Dim(any_number());
    }
  }

  void change_rank(PlanValue& value) {
    if (!value.shape || random_.below(4) == 0) {
      value.shape.reset();
    } else if (random_.below(2) == 0 && !value.shape->empty()) {
      value.shape->pop_back();
    } else {
      value.shape->push_back(any_extent());
    }
  }

  void change_view(const Plan& plan, PlanValue& value) {
    if (value.view && random_.below(3) == 0) {
      value.view.reset();
      return;
    }
    PlanView view = value.view.value_or(PlanView{any_value(plan), PlanView::Kind::Slice, 0, 0});
    switch (random_.below(4)) {
      case 0: view.base = any_value(plan); break;
      case 1: view.axis = static_cast<int>(random_.below(5)) - 1; break;
      case 2: view.offset = any_extent(); break;
      default: view.kind = view.kind == PlanView::Kind::Slice ? PlanView::Kind::Reshape : PlanView::Kind::Slice; break;
    }
    value.view = view;
  }

  void change_attribute(PlanStep& step) {
    const ops::OperatorSchema* schema = ops::find_schema(step.op);
    if (!schema || schema->attributes.empty()) return;
    const auto& spec = schema->attributes[random_.below(schema->attributes.size())];
    const std::string name(spec.name);
    if (random_.below(5) == 0) return step.attributes.erase(name);
    constexpr double kFloats[] = {0, -1, 1e30, -1e30, 0.5, 1e-30};
    std::vector<std::int64_t> ints;
    std::vector<double> floats;
    for (std::uint64_t i = random_.below(6); i > 0; --i) {
      ints.push_back(any_number());
      floats.push_back(kFloats[random_.below(std::size(kFloats))]);
    }
    switch (spec.type) {
      case ops::AttributeType::Int: step.attributes.set(name, any_number()); break;
      case ops::AttributeType::Float: step.attributes.set(name, kFloats[random_.below(std::size(kFloats))]); break;
      case ops::AttributeType::Ints: step.attributes.set(name, ints); break;
      case ops::AttributeType::Floats: step.attributes.set(name, floats); break;
      case ops::AttributeType::String:
        step.attributes.set(name, spec.allowed.empty() ? std::string("x") : std::string(spec.allowed[random_.below(spec.allowed.size())]));
        break;
      default: break;
    }
  }

  void change_operator(const Plan& plan, PlanStep& step) {
    if (random_.below(2) == 0) {
      const auto schemas = ops::all_schemas();
      step.op = std::string(schemas[random_.below(schemas.size())]->name);
      step.attributes = {};
    }
    const auto kernels = kernels_of(plan.device, step.op);
    const std::uint64_t which = random_.below(kernels.size() + 1);
    step.kernel = which < kernels.size() ? std::string(kernels[which]->name()) : "reference";
  }

  Mutator& random_;
};

}  // namespace fovea::test
