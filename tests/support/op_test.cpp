// SPDX-License-Identifier: Apache-2.0
#include "support/op_test.h"

#include <cmath>
#include <random>

namespace fovea::testing {

namespace {

/// Small integer tensors travel as values; so do floats that hold integers.
std::optional<std::vector<Dim>> value_of(const Tensor& tensor) {
  if (tensor.rank() > 1 || tensor.elements() > 64 || tensor.type() == DataType::string) return std::nullopt;
  std::vector<Dim> dims;
  for (std::int64_t i = 0; i < tensor.elements(); ++i) {
    if (tensor.type() == DataType::i64) {
      dims.emplace_back(tensor.data<std::int64_t>()[i]);
      continue;
    }
    const double value = element(tensor, i);
    if (!(std::abs(value) < 0x1p53) || value != std::floor(value)) return std::nullopt;
    dims.emplace_back(static_cast<std::int64_t>(value));
  }
  return dims;
}

std::string describe(const Tensor& tensor) { return str_cat(name(tensor.type()), " ", tensor.shape().to_string()); }

Status check_inference(std::string_view op, const std::vector<Datum>& inputs, const std::vector<Datum>& outputs,
                       const Attributes& attributes, bool constants) {
  std::vector<FakeInferContext::Value> values;
  for (const Datum& datum : inputs) {
    FakeInferContext::Value value;
    value.present = datum.present();
    if (datum.kind == Datum::Kind::Tensor) {
      if (constants) {
        value = FakeInferContext::constant(datum.tensor);
      } else {
        value.type = {ValueType::Kind::Tensor, datum.tensor.type()};
        value.shape = to_symbolic(datum.tensor.shape());
      }
    } else if (datum.kind == Datum::Kind::Sequence) {
      value.type = {ValueType::Kind::Sequence, datum.element_type};
    }
    values.push_back(std::move(value));
  }
  FakeInferContext context(std::string(op), attributes, std::move(values), static_cast<int>(outputs.size()));
  const std::string where = str_cat(op, ": shape rule (inputs as ", constants ? "constants" : "shapes", ")");
  FOVEA_RETURN_IF_ERROR(context.infer().with_context(where));
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    if (outputs[i].kind != Datum::Kind::Tensor) continue;
    const Tensor& actual = outputs[i].tensor;
    const FakeInferContext::Value& found = context.output(static_cast<int>(i));
    const std::string text = str_cat(where, ": output ", i, " is ", describe(actual), ", foretold ", context.output_text(static_cast<int>(i)));
    if (found.type.element != DataType::undefined && found.type.element != actual.type()) return internal_error(text);
    if (found.shape) {
      if (static_cast<int>(found.shape->size()) != actual.rank()) return internal_error(text);
      for (int axis = 0; axis < actual.rank(); ++axis) {
        const Dim& dim = (*found.shape)[static_cast<std::size_t>(axis)];
        if (dim.is_constant() && dim.constant() != actual.dim(axis)) return internal_error(text);
      }
    }
    if (found.value && actual.rank() <= 1) {  // the driver follows the elements of lists and scalars only
      const auto expected = value_of(actual);
      const bool same_value = expected && expected->size() == found.value->size() &&
                              std::equal(expected->begin(), expected->end(), found.value->begin(),
                                         [](const Dim& a, const Dim& b) { return !b.is_constant() || a == b; });
      if (!same_value) return internal_error(where, ": output ", i, ": foretold value ", context.value_text(static_cast<int>(i)), " is not what was computed");
    }
  }
  return {};
}

}  // namespace

Tensor strings(const Shape& shape, std::initializer_list<const char*> values) {
  Tensor result = Tensor::allocate(DataType::string, shape).value();
  std::copy(values.begin(), values.end(), result.data<std::string>());
  return result;
}

Tensor ints(std::initializer_list<std::int64_t> values) {
  return Tensor::from<std::int64_t>(DataType::i64, {static_cast<std::int64_t>(values.size())}, std::span(values.begin(), values.end()));
}

Tensor random(DataType type, const Shape& shape, double low, double high, unsigned seed) {
  Tensor result = Tensor::allocate(type, shape).value();
  std::mt19937 engine(seed);
  const auto draw = [&] { return low + (high - low) * (static_cast<double>(engine()) / 4294967296.0); };
  const Status status = dispatch_numeric(type, "random", [&](auto tag) -> Status {
    using T = typename decltype(tag)::type;
    for (T& value : result.values<T>()) {
      if constexpr (kIsHalf<T>) value = T(static_cast<float>(draw()));
      else value = static_cast<T>(std::is_integral_v<T> ? std::floor(draw()) : draw());
    }
    return {};
  });
  EXPECT_TRUE(status.ok()) << status.message();
  return result;
}

Attributes attributes(std::initializer_list<NamedAttribute> list) {
  Attributes result;
  for (const NamedAttribute& attribute : list) result.set(attribute.name, attribute.value);
  return result;
}

FakeInferContext::FakeInferContext(std::string op, Attributes attributes, std::vector<Value> inputs, int num_outputs)
    : op_(std::move(op)), attributes_(std::move(attributes)), inputs_(std::move(inputs)), outputs_(static_cast<std::size_t>(num_outputs)) {}

FakeInferContext::Value FakeInferContext::symbolic(DataType type, std::string_view text) {
  Value value;
  value.type = {ValueType::Kind::Tensor, type};
  if (text == "?") return value;
  SymbolicShape shape;
  // "x" separates extents, so symbols are written without it.
  for (std::size_t at = 0; !text.empty() && text != "scalar" && at <= text.size();) {
    const std::size_t end = std::min(text.find('x', at), text.size());
    shape.push_back(Dim::parse(text.substr(at, end - at)).value());
    at = end + 1;
  }
  value.shape = std::move(shape);
  return value;
}

FakeInferContext::Value FakeInferContext::constant(const Tensor& tensor) {
  return {{ValueType::Kind::Tensor, tensor.type()}, to_symbolic(tensor.shape()), value_of(tensor), tensor, true, {}};
}

FakeInferContext::Value FakeInferContext::dims(std::initializer_list<const char*> values, DataType type) {
  Value result;
  result.type = {ValueType::Kind::Tensor, type};
  result.shape = SymbolicShape{Dim(static_cast<std::int64_t>(values.size()))};
  result.value.emplace();
  for (const char* text : values) result.value->push_back(Dim::parse(text).value());
  return result;
}

Status FakeInferContext::infer() {
  const ops::OperatorSchema* schema = ops::find_schema(op_);
  if (!schema) return not_found("no schema of ", op_);
  return schema->infer ? schema->infer(*this) : Status();
}

std::string FakeInferContext::output_text(int i) const {
  const Value& value = output(i);
  return str_cat(name(value.type.element), " ", value.shape ? to_string(*value.shape) : "?");
}

std::string FakeInferContext::value_text(int i) const {
  const Value& value = output(i);
  if (!value.value) return "?";
  std::string text;
  for (const Dim& dim : *value.value) text += (text.empty() ? "" : ", ") + dim.to_string();
  return "[" + text + "]";
}

ValueType FakeInferContext::input_type(int i) const { return has_input(i) ? inputs_[static_cast<std::size_t>(i)].type : ValueType(); }
const SymbolicShape* FakeInferContext::input_shape(int i) const {
  return has_input(i) && inputs_[static_cast<std::size_t>(i)].shape ? &*inputs_[static_cast<std::size_t>(i)].shape : nullptr;
}
const Tensor* FakeInferContext::input_constant(int i) const {
  return has_input(i) && inputs_[static_cast<std::size_t>(i)].constant.defined() ? &inputs_[static_cast<std::size_t>(i)].constant : nullptr;
}
const std::vector<Dim>* FakeInferContext::input_value(int i) const {
  return has_input(i) && inputs_[static_cast<std::size_t>(i)].value ? &*inputs_[static_cast<std::size_t>(i)].value : nullptr;
}

std::string infer_text(std::string op, std::vector<FakeInferContext::Value> inputs, Attributes attributes) {
  FakeInferContext context(std::move(op), std::move(attributes), std::move(inputs), 1);
  const Status status = context.infer();
  return status.ok() ? context.output_text() : status.message();
}

Result<std::vector<Datum>> run_op_datums(std::string_view op, std::vector<Datum> inputs, const Attributes& attributes, int num_outputs,
                                         ops::BodyRunner* bodies) {
  const ops::ReferenceKernel kernel = ops::find_reference(op);
  const ops::OperatorSchema* schema = ops::find_schema(op);
  if (!kernel || !schema) return not_found("no operator ", op);
  FOVEA_RETURN_IF_ERROR(ops::check_against_schema(*schema, attributes, static_cast<int>(inputs.size()), num_outputs,
                                                  bodies && (schema->traits & ops::kHasBodies) ? 1 : 0));
  std::vector<Datum> outputs(static_cast<std::size_t>(num_outputs));
  ops::KernelContext context(op, attributes, inputs, outputs, bodies);
  FOVEA_RETURN_IF_ERROR(kernel(context));
  if (!bodies) {
    FOVEA_RETURN_IF_ERROR(check_inference(op, inputs, outputs, attributes, true));
    FOVEA_RETURN_IF_ERROR(check_inference(op, inputs, outputs, attributes, false));
  }
  return outputs;
}

Result<std::vector<Tensor>> run_op(std::string_view op, std::vector<Datum> inputs, const Attributes& attributes, int num_outputs) {
  FOVEA_ASSIGN(const std::vector<Datum> outputs, run_op_datums(op, std::move(inputs), attributes, num_outputs));
  std::vector<Tensor> tensors;
  for (const Datum& datum : outputs) tensors.push_back(datum.tensor);
  return tensors;
}

Tensor run_op1(std::string_view op, std::vector<Datum> inputs, const Attributes& attributes) {
  Result<std::vector<Tensor>> outputs = run_op(op, std::move(inputs), attributes, 1);
  EXPECT_TRUE(outputs.ok()) << outputs.status().to_string();
  return outputs.ok() ? (*outputs)[0] : Tensor();
}

double element(const Tensor& tensor, std::int64_t i) {
  double result = std::nan("");
  const Status status = dispatch_all_but_complex(tensor.type(), "element", [&](auto tag) -> Status {
    using T = typename decltype(tag)::type;
    const T& value = tensor.data<T>()[i];
    if constexpr (std::is_same_v<T, std::string>) result = std::nan("");
    else if constexpr (requires { value.value; }) result = value.value;
    else if constexpr (std::is_arithmetic_v<T>) result = static_cast<double>(value);
    else result = static_cast<double>(static_cast<float>(value));
    return {};
  });
  return status.ok() ? result : std::nan("");
}

::testing::AssertionResult close(const Tensor& actual, const Tensor& expected, Tolerance tolerance) {
  if (!actual.defined()) return ::testing::AssertionFailure() << "no output";
  if (actual.type() != expected.type() || !(actual.shape() == expected.shape())) {
    return ::testing::AssertionFailure() << "got " << describe(actual) << ", expected " << describe(expected);
  }
  std::int64_t first = -1, worst = -1;
  double worst_error = -1;
  std::int64_t wrong = 0;
  for (std::int64_t i = 0; i < expected.elements(); ++i) {
    if (expected.type() == DataType::string) {
      if (actual.data<std::string>()[i] == expected.data<std::string>()[i]) continue;
      return ::testing::AssertionFailure() << "element " << i << ": got '" << actual.data<std::string>()[i] << "', expected '"
                                           << expected.data<std::string>()[i] << "'";
    }
    if (expected.type() == DataType::i64 || expected.type() == DataType::u64) {
      if (actual.data<std::int64_t>()[i] == expected.data<std::int64_t>()[i]) continue;
      return ::testing::AssertionFailure() << "element " << i << ": got " << actual.data<std::int64_t>()[i] << ", expected "
                                           << expected.data<std::int64_t>()[i];
    }
    double a = 0, e = 0;
    bool complex_ok = true;
    if (expected.type() == DataType::c64 || expected.type() == DataType::c128) {
      const bool single = expected.type() == DataType::c64;
      const auto get = [&](const Tensor& t) {
        return single ? std::complex<double>(t.data<std::complex<float>>()[i]) : t.data<std::complex<double>>()[i];
      };
      complex_ok = std::abs(get(actual) - get(expected)) <= tolerance.atol + tolerance.rtol * std::abs(get(expected));
      a = std::abs(get(actual));
      e = std::abs(get(expected));
      if (complex_ok) continue;
    } else {
      a = element(actual, i);
      e = element(expected, i);
    }
    if (std::isnan(a) && std::isnan(e)) continue;
    if (complex_ok && a == e) continue;
    const bool floating = is_floating(expected.type());
    const double error = std::abs(a - e);
    if (complex_ok && floating && std::isfinite(e) && error <= tolerance.atol + tolerance.rtol * std::abs(e)) continue;
    ++wrong;
    if (first < 0) first = i;
    if (!(error <= worst_error)) worst = i, worst_error = error;
  }
  if (wrong == 0) return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure() << describe(expected) << ": " << wrong << " of " << expected.elements() << " elements differ; first at "
                                       << first << ": got " << element(actual, first) << ", expected " << element(expected, first)
                                       << "; worst at " << worst << ": got " << element(actual, worst) << ", expected "
                                       << element(expected, worst);
}

::testing::AssertionResult same(const Tensor& actual, const Tensor& expected) { return close(actual, expected, {0, 0}); }

::testing::AssertionResult fails(const Status& status, ErrorCode code, std::string_view phrase) {
  if (status.ok()) return ::testing::AssertionFailure() << "succeeded";
  if (status.code() != code || status.message().find(phrase) == std::string::npos) {
    return ::testing::AssertionFailure() << "failed with " << name(status.code()) << ": " << status.message();
  }
  return ::testing::AssertionSuccess();
}

}  // namespace fovea::testing
