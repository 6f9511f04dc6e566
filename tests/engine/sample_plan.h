// SPDX-License-Identifier: Apache-2.0
// Plans for the tests of the engine file. Identity is enough: the file does not care what operators compute.
#pragma once

#include <string>
#include <vector>

#include "engine/plan.h"

namespace fovea::test {

inline PlanValue plan_value(std::string name, DataType type, std::optional<SymbolicShape> shape) {
  PlanValue value;
  value.name = std::move(name);
  value.type.element = type;
  value.shape = std::move(shape);
  return value;
}

inline PlanStep identity_step(std::string name, int input, int output) {
  PlanStep step;
  step.name = std::move(name);
  step.op = "Identity";
  step.inputs = {input};
  step.outputs = {output};
  step.sources = {"node_" + step.name};
  return step;
}

/// in -> out, f32 4x4.
inline Plan small_plan() {
  Plan plan;
  plan.name = "small";
  plan.values = {plan_value("in", DataType::f32, SymbolicShape{4, 4}), plan_value("out", DataType::f32, SymbolicShape{4, 4})};
  plan.steps = {identity_step("copy", 0, 1)};
  plan.inputs = {0};
  plan.outputs = {1};
  return plan;
}

/// Every kind of thing a plan can hold.
inline Plan rich_plan() {
  const Dim n = Dim::symbol("N"), h = Dim::symbol("H");
  Plan plan;
  plan.name = "rich";
  plan.constants = {Tensor::from<float>(DataType::f32, {2, 3}, std::vector<float>{1, 2, 3, 4, 5, 6}),
                    Tensor::from<std::string>(DataType::string, {2}, std::vector<std::string>{"first", std::string("a\0b", 3)}),
                    Tensor::from<std::int64_t>(DataType::i64, {}, std::vector<std::int64_t>{-7}),
                    Tensor::allocate(DataType::f16, {0, 5}).value()};
  plan.values = {
      plan_value("images", DataType::f32, SymbolicShape{n, 4, floor_div(h + 1, 2), Dim(8)}),                 // 0
      plan_value("weights", DataType::f32, SymbolicShape{2, 3}),                                              // 1
      plan_value("names", DataType::string, SymbolicShape{2}),                                                // 2
      plan_value("scalar", DataType::i64, SymbolicShape{}),                                                   // 3
      plan_value("empty", DataType::f16, SymbolicShape{0, 5}),                                                // 4
      plan_value("joined", DataType::f32, SymbolicShape{n, 8, floor_div(h + 1, 2), Dim(8)}),                 // 5
      plan_value("left", DataType::f32, SymbolicShape{n, 4, floor_div(h + 1, 2), Dim(8)}),                   // 6
      plan_value("right", DataType::f32, SymbolicShape{n, 4, floor_div(h + 1, 2), Dim(8)}),                  // 7
      plan_value("boxes", DataType::f32, std::nullopt),                                                       // 8
      plan_value("list", DataType::f32, std::nullopt),                                                        // 9
      plan_value("transposed_view", DataType::f32, SymbolicShape{3, 2}),                                      // 10
  };
  for (int i = 0; i < 4; ++i) plan.values[static_cast<std::size_t>(i + 1)].constant = i;
  for (int i : {5, 6, 7}) plan.values[static_cast<std::size_t>(i)].layout = Layout::nhwc;
  plan.values[6].view = PlanView{5, PlanView::Kind::Slice, 1, 0};
  plan.values[7].view = PlanView{5, PlanView::Kind::Slice, 1, 4};
  plan.values[9].type.kind = ValueType::Kind::Sequence;
  plan.values[10].view = PlanView{1, PlanView::Kind::Reshape, 0, 0};
  plan.steps = {identity_step("to_left", 0, 6), identity_step("to_right", 6, 7), identity_step("find", 5, 8), identity_step("wrap", 8, 9)};
  plan.inputs = {0};
  plan.outputs = {5, 8, 9, 10, 2};
  plan.precision = "bf16";
  plan.symbols = {{"H", {1, 31, 1024}}, {"N", {1, 1, INT64_MAX}}};
  plan.certificate = {{"to_left", "reference", "f32", 1e-7, 1e-8, 1.0, 1e-5, 3.5, 77, true, "fast: too far off"}};
  plan.decisions = {{"NOT_FUSED", "find", "it has no partner.", "none needed"}};
  plan.metadata = {{"producer", "test"}, {"model", "rich.onnx"}};
  plan.recipe = R"({"task":"classification"})";
  return plan;
}

}  // namespace fovea::test
