// SPDX-License-Identifier: Apache-2.0
#include "ops/concrete_infer.h"

namespace fovea::ops {

namespace {

constexpr std::int64_t kMaxValues = 256;  // elements of shape arithmetic

std::optional<std::vector<Dim>> values_of(const Tensor* tensor) {
  if (!tensor || tensor->rank() > 1 || tensor->elements() > kMaxValues) return std::nullopt;
  std::vector<Dim> values;
  for (std::int64_t i = 0; i < tensor->elements(); ++i) {
    if (tensor->type() == DataType::i64) {
      values.emplace_back(tensor->data<std::int64_t>()[i]);
    } else if (tensor->type() == DataType::i32) {
      values.emplace_back(std::int64_t{tensor->data<std::int32_t>()[i]});
    } else {
      return std::nullopt;
    }
  }
  return values;
}

}  // namespace

ConcreteInfer::ConcreteInfer(const Problem& problem)
    : types(problem.outputs.size()), found(problem.outputs.size()), problem_(problem), shapes_(problem.inputs.size()), values_(problem.inputs.size()) {
  for (std::size_t i = 0; i < shapes_.size(); ++i) {
    shapes_[i] = to_symbolic(problem.inputs[i].shape);
    values_[i] = values_of(input_constant(static_cast<int>(i)));
  }
}

ValueType ConcreteInfer::input_type(int i) const {
  return has_input(i) ? ValueType{ValueType::Kind::Tensor, problem_.inputs[at(i)].type} : ValueType{};
}

void ConcreteInfer::set_output_type(int i, ValueType type) {
  if (i >= 0 && i < num_outputs()) types[at(i)] = type;
}

void ConcreteInfer::set_output_shape(int i, SymbolicShape shape) {
  if (i >= 0 && i < num_outputs()) found[at(i)] = std::move(shape);
}

Dim ConcreteInfer::fresh_symbol(std::string_view hint) { return Dim::symbol(str_cat("data_", hint, "_", symbols_++)); }

}  // namespace fovea::ops
