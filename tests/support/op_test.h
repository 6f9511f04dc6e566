// SPDX-License-Identifier: Apache-2.0
// Runs the reference kernel of an operator by name and checks that its shape rule foretells what the kernel
// did. Tests of operators state inputs, attributes and expected outputs; everything else is here.
#pragma once

#include <limits>
#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/datum.h"
#include "base/element_types.h"
#include "ops/kernel_context.h"
#include "ops/schema.h"

namespace fovea::testing {

/// A tensor from values, converted to T: tensor<Half>({2, 2}, {1, 2, 3, 4}).
template <class T, class V = double>
Tensor tensor(const Shape& shape, std::initializer_list<V> values) {
  Tensor result = Tensor::allocate(kTypeOf<T>, shape).value();
  std::int64_t i = 0;
  for (const V& value : values) {
    if (i == result.elements()) break;
    if constexpr (std::is_same_v<T, bool>) {
      result.data<std::uint8_t>()[i++] = value != V();
    } else if constexpr (kIsHalf<T>) {
      result.data<T>()[i++] = T(static_cast<float>(value));
    } else {
      result.data<T>()[i++] = static_cast<T>(value);
    }
  }
  EXPECT_EQ(values.size(), static_cast<std::size_t>(result.elements())) << "values given for shape " << shape.to_string();
  return result;
}
/// The same for lists that mix 1 and 2.5.
template <class T>
Tensor tensor(const Shape& shape, std::initializer_list<double> values) { return tensor<T, double>(shape, values); }
template <class T = float> Tensor scalar(double value) { return tensor<T>({}, {value}); }
Tensor strings(const Shape& shape, std::initializer_list<const char*> values);
/// Integers as an i64 vector: axes, shapes.
Tensor ints(std::initializer_list<std::int64_t> values);
/// Reproducible uniform numbers in [low, high) of any numeric type.
Tensor random(DataType type, const Shape& shape, double low = -1, double high = 1, unsigned seed = 1);

/// Attributes from a list: attributes({{"axis", 1}, {"mode", "linear"}}).
struct NamedAttribute {
  NamedAttribute(const char* n, int v) : name(n), value(std::int64_t{v}) {}
  NamedAttribute(const char* n, std::int64_t v) : name(n), value(v) {}
  NamedAttribute(const char* n, double v) : name(n), value(v) {}
  NamedAttribute(const char* n, const char* v) : name(n), value(std::string(v)) {}
  NamedAttribute(const char* n, std::vector<std::int64_t> v) : name(n), value(std::move(v)) {}
  NamedAttribute(const char* n, std::vector<double> v) : name(n), value(std::move(v)) {}
  NamedAttribute(const char* n, std::vector<std::string> v) : name(n), value(std::move(v)) {}
  NamedAttribute(const char* n, Tensor v) : name(n), value(std::move(v)) {}
  std::string name;
  AttributeValue value;
};
Attributes attributes(std::initializer_list<NamedAttribute> list);

/// What a shape rule sees when tests call it: fill the inputs, run, read the outputs.
class FakeInferContext : public ops::InferContext {
 public:
  struct Value {
    ValueType type = {};
    std::optional<SymbolicShape> shape = {};
    std::optional<std::vector<Dim>> value = {};
    Tensor constant = {};
    bool present = true;
    std::optional<std::vector<Fraction>> fractions = {};
  };
  FakeInferContext(std::string op, Attributes attributes, std::vector<Value> inputs, int num_outputs);

  /// An input known only by type and symbolic shape: symbolic(DataType::f32, "Nx3xHxW"); "?" for unknown rank.
  static Value symbolic(DataType type, std::string_view shape);
  /// An input known wholly, with its value for shape arithmetic when it is a small integer tensor.
  static Value constant(const Tensor& tensor);
  static Value missing() { return {.present = false}; }
  /// A rank-0 or rank-1 integer tensor of symbolic elements: value({"N", "2*H"}).
  static Value dims(std::initializer_list<const char*> values, DataType type = DataType::i64);

  /// Runs the rule of the operator's schema.
  Status infer();
  const Value& output(int i) const { return outputs_[static_cast<std::size_t>(i)]; }
  /// "f32 NxCx(2*H)" or "f32 ?": what was found for output i.
  std::string output_text(int i = 0) const;
  /// "[N, 2*H]" or "?".
  std::string value_text(int i = 0) const;

  std::string_view op() const override { return op_; }
  const Attributes& attributes() const override { return attributes_; }
  int num_inputs() const override { return static_cast<int>(inputs_.size()); }
  int num_outputs() const override { return static_cast<int>(outputs_.size()); }
  bool has_input(int i) const override { return i < num_inputs() && inputs_[static_cast<std::size_t>(i)].present; }
  ValueType input_type(int i) const override;
  const SymbolicShape* input_shape(int i) const override;
  const Tensor* input_constant(int i) const override;
  const std::vector<Dim>* input_value(int i) const override;
  const std::vector<Fraction>* input_fractions(int i) const override {
    return has_input(i) && inputs_[static_cast<std::size_t>(i)].fractions ? &*inputs_[static_cast<std::size_t>(i)].fractions : nullptr;
  }
  void set_output_fractions(int i, std::vector<Fraction> value) override {
    if (i < num_outputs()) outputs_[static_cast<std::size_t>(i)].fractions = std::move(value);
  }
  // What a rule says about outputs the node does not have is dropped, as the driver does.
  void set_output_type(int i, ValueType type) override {
    if (i < num_outputs()) outputs_[static_cast<std::size_t>(i)].type = type;
  }
  void set_output_shape(int i, SymbolicShape shape) override {
    if (i < num_outputs()) outputs_[static_cast<std::size_t>(i)].shape = std::move(shape);
  }
  void set_output_value(int i, std::vector<Dim> value) override {
    if (i < num_outputs()) outputs_[static_cast<std::size_t>(i)].value = std::move(value);
  }
  Dim fresh_symbol(std::string_view hint) override { return Dim::symbol(str_cat("_", hint, "_", next_symbol_++)); }

 private:
  std::string op_;
  Attributes attributes_;
  std::vector<Value> inputs_, outputs_;
  int next_symbol_ = 0;
};

constexpr auto symbolic = FakeInferContext::symbolic;
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN(), kInf = std::numeric_limits<double>::infinity();

/// Runs the shape rule on symbolic inputs and returns output_text(0), or the error's message.
std::string infer_text(std::string op, std::vector<FakeInferContext::Value> inputs, Attributes attributes = {});

/// Checks node against schema, runs the reference kernel, then the shape rule on the same inputs (as constants and
/// as shapes only): types must agree, and extents wherever the rule gives constants. Returns the outputs.
Result<std::vector<Datum>> run_op_datums(std::string_view op, std::vector<Datum> inputs, const Attributes& attributes = {},
                                         int num_outputs = 1, ops::BodyRunner* bodies = nullptr);
Result<std::vector<Tensor>> run_op(std::string_view op, std::vector<Datum> inputs, const Attributes& attributes = {},
                                   int num_outputs = 1);
/// The first output; a failure of the test and an undefined tensor when the kernel fails.
Tensor run_op1(std::string_view op, std::vector<Datum> inputs, const Attributes& attributes = {});

struct Tolerance {
  double rtol = 1e-3, atol = 1e-7;
};
/// Same type and shape; floats within atol + rtol * |expected| (equal infinities and NaNs pass), others equal.
/// The message names the first and the worst element.
::testing::AssertionResult close(const Tensor& actual, const Tensor& expected, Tolerance tolerance = {});
::testing::AssertionResult same(const Tensor& actual, const Tensor& expected);
/// The call failed with this code and its message contains the phrase.
::testing::AssertionResult fails(const Status& status, ErrorCode code, std::string_view phrase);
template <class T>
::testing::AssertionResult fails(const Result<T>& result, ErrorCode code, std::string_view phrase) {
  return fails(result.status(), code, phrase);
}

/// Element i of a numeric tensor.
double element(const Tensor& tensor, std::int64_t i);

}  // namespace fovea::testing
