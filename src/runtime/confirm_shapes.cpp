// SPDX-License-Identifier: Apache-2.0
#include "runtime/confirm_shapes.h"

#include <optional>
#include <vector>

#include "ops/schema.h"

namespace fovea {

namespace {

constexpr std::int64_t kMaxValues = 256;  // elements of shape arithmetic

/// Concrete inputs as a shape rule sees them.
class ConcreteContext : public ops::InferContext {
 public:
  explicit ConcreteContext(const Problem& problem)
      : problem_(problem), shapes_(problem.inputs.size()), values_(problem.inputs.size()), types(problem.outputs.size()), found(problem.outputs.size()) {
    for (std::size_t i = 0; i < shapes_.size(); ++i) {
      shapes_[i] = to_symbolic(problem.inputs[i].shape);
      values_[i] = values_of(input_constant(static_cast<int>(i)));
    }
  }

  std::string_view op() const override { return problem_.op; }
  const Attributes& attributes() const override { return problem_.attributes; }
  int num_inputs() const override { return static_cast<int>(problem_.inputs.size()); }
  int num_outputs() const override { return static_cast<int>(problem_.outputs.size()); }
  bool has_input(int i) const override { return problem_.has_input(i); }
  ValueType input_type(int i) const override {
    return has_input(i) ? ValueType{ValueType::Kind::Tensor, problem_.inputs[at(i)].type} : ValueType{};
  }
  const SymbolicShape* input_shape(int i) const override { return has_input(i) ? &shapes_[at(i)] : nullptr; }
  const Tensor* input_constant(int i) const override { return problem_.is_constant(i) ? &problem_.constants[at(i)] : nullptr; }
  const std::vector<Dim>* input_value(int i) const override { return has_input(i) && values_[at(i)] ? &*values_[at(i)] : nullptr; }
  void set_output_type(int i, ValueType type) override {
    if (i >= 0 && i < num_outputs()) types[at(i)] = type;
  }
  void set_output_shape(int i, SymbolicShape shape) override {
    if (i >= 0 && i < num_outputs()) found[at(i)] = std::move(shape);
  }
  void set_output_value(int, std::vector<Dim>) override {}
  Dim fresh_symbol(std::string_view hint) override { return Dim::symbol(str_cat("data_", hint, "_", symbols_++)); }

 private:
  static std::size_t at(int i) { return static_cast<std::size_t>(i); }

  static std::optional<std::vector<Dim>> values_of(const Tensor* tensor) {
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

  const Problem& problem_;
  std::vector<SymbolicShape> shapes_;
  std::vector<std::optional<std::vector<Dim>>> values_;
  int symbols_ = 0;

 public:
  std::vector<ValueType> types;
  std::vector<std::optional<SymbolicShape>> found;
};

}  // namespace

Status confirm_shapes(const Problem& problem) {
  const ops::OperatorSchema* schema = ops::find_schema(problem.op);
  if (!schema || !schema->infer) return {};
  ConcreteContext context(problem);
  FOVEA_RETURN_IF_ERROR(schema->infer(context));
  for (std::size_t o = 0; o < problem.outputs.size(); ++o) {
    const TensorDesc& declared = problem.outputs[o];
    if (declared.type == DataType::undefined) continue;
    const ValueType type = context.types[o];
    if (type.kind == ValueType::Kind::Tensor && type.element != DataType::undefined && type.element != declared.type) {
      return invalid_model(problem.op, ": output ", o, " is declared ", name(declared.type), ", the operator gives ", name(type.element));
    }
    const auto shape = context.found[o] ? to_concrete(*context.found[o]) : std::nullopt;
    if (shape && !(*shape == declared.shape)) {
      return invalid_model(problem.op, ": output ", o, " is declared ", declared.shape.to_string(), ", the operator gives ", shape->to_string());
    }
  }
  return {};
}

}  // namespace fovea
