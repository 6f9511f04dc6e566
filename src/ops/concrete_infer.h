// SPDX-License-Identifier: Apache-2.0
// ConcreteInfer: what a shape rule sees when shapes are numbers: to confirm what an engine declares, and to size the outputs
// of operators that come from plugins.
#pragma once

#include <optional>
#include <vector>

#include "device/kernel.h"
#include "ops/schema.h"

namespace fovea::ops {

class ConcreteInfer final : public InferContext {
 public:
  /// `problem` must outlive it. Only types and shapes of the inputs, constants and the number of outputs are looked at.
  explicit ConcreteInfer(const Problem& problem);

  std::string_view op() const override { return problem_.op; }
  const Attributes& attributes() const override { return problem_.attributes; }
  int num_inputs() const override { return static_cast<int>(problem_.inputs.size()); }
  int num_outputs() const override { return static_cast<int>(problem_.outputs.size()); }
  bool has_input(int i) const override { return problem_.has_input(i); }
  ValueType input_type(int i) const override;
  const SymbolicShape* input_shape(int i) const override { return has_input(i) ? &shapes_[at(i)] : nullptr; }
  const Tensor* input_constant(int i) const override { return problem_.is_constant(i) ? &problem_.constants[at(i)] : nullptr; }
  const std::vector<Dim>* input_value(int i) const override { return has_input(i) && values_[at(i)] ? &*values_[at(i)] : nullptr; }
  void set_output_type(int i, ValueType type) override;
  void set_output_shape(int i, SymbolicShape shape) override;
  void set_output_value(int, std::vector<Dim>) override {}
  Dim fresh_symbol(std::string_view hint) override;

  // What the rule found, per output.
  std::vector<ValueType> types;
  std::vector<std::optional<SymbolicShape>> found;

 private:
  static std::size_t at(int i) { return static_cast<std::size_t>(i); }

  const Problem& problem_;
  std::vector<SymbolicShape> shapes_;
  std::vector<std::optional<std::vector<Dim>>> values_;
  int symbols_ = 0;
};

}  // namespace fovea::ops
