// SPDX-License-Identifier: Apache-2.0
#include "ops/elementwise/elementwise_rules.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <optional>

#include "ops/elementwise/broadcast.h"

namespace fovea::ops {

namespace {

using Value = std::optional<Dim>;

/// Large constants (Slice's "to the end") take no part in arithmetic, so nothing here can overflow.
bool within(const Dim& a, int bits) {
  return !a.is_constant() || (a.constant() < (std::int64_t{1} << bits) && a.constant() > -(std::int64_t{1} << bits));
}
bool small(const Dim& a) { return within(a, 31); }
/// Whether the type holds this value exactly, so that no kernel wraps or rounds it. Narrow types carry no shapes.
bool fits(const Dim& a, DataType type) {
  const int bits = type == DataType::i64 ? 62 : type == DataType::f64 ? 53 : type == DataType::i32 ? 31 : type == DataType::f32 ? 24 : 0;
  if (type == DataType::boolean) return true;
  return bits > 0 && within(a, bits);
}
bool at_least(const Dim& a, std::int64_t bound) {
  const auto lower = a.lower_bound();
  return lower && *lower >= bound;
}

/// a / b rounded towards zero, where the signs are known.
Value truncated_quotient(const Dim& a, const Dim& b) {
  if (b.is_constant() && b.constant() == 0) return {};
  if (a.is_constant() && b.is_constant()) return Dim(a.constant() / b.constant());
  if (!at_least(b, 1)) return {};
  if (at_least(a, 0)) return floor_div(a, b);
  if (at_least(Dim(0) - a, 0)) return Dim(0) - floor_div(Dim(0) - a, b);
  return {};
}

Value arithmetic(std::string_view op, const Dim& a, const Dim& b, bool floating, bool fmod) {
  if (a.is_constant() && b.is_constant() && (op == "Max" || op == "Min")) return (a.constant() > b.constant()) == (op == "Max") ? a : b;
  if (!small(a) || !small(b)) return {};
  if (op == "Max") return at_least(a - b, 0) ? a : at_least(b - a, 0) ? b : max(a, b);
  if (op == "Min") return at_least(a - b, 0) ? b : at_least(b - a, 0) ? a : min(a, b);
  if (op == "Add" || op == "Sum") return a + b;
  if (op == "Sub") return a - b;
  if (op == "Mul") return a * b;
  if (op == "Div") {
    const Value quotient = truncated_quotient(a, b);
    // A float quotient is a value only where it is a whole number.
    if (floating && quotient && !(*quotient * b == a)) return {};
    return quotient;
  }
  if (op == "Mod") {
    if (b.is_constant() && b.constant() == 0) return {};
    if (fmod && !(at_least(a, 0) && at_least(b, 1))) return {};
    return mod(a, b);
  }
  return {};
}

Value comparison(std::string_view op, const Dim& a, const Dim& b) {
  const bool constants = a.is_constant() && b.is_constant();
  if (!constants && (!small(a) || !small(b))) return {};
  const bool known_greater = constants ? a.constant() > b.constant() : at_least(a - b, 1);
  const bool known_less = constants ? a.constant() < b.constant() : at_least(b - a, 1);
  const bool known_ge = constants ? !known_less : at_least(a - b, 0), known_le = constants ? !known_greater : at_least(b - a, 0);
  const auto decide = [](bool yes, bool no) -> Value { return yes ? Value(Dim(1)) : no ? Value(Dim(0)) : Value(); };
  if (op == "Equal") return decide(a == b, known_greater || known_less);
  if (op == "Greater") return decide(known_greater, known_le);
  if (op == "GreaterOrEqual") return decide(known_ge, known_less);
  if (op == "Less") return decide(known_less, known_ge);
  if (op == "LessOrEqual") return decide(known_le, known_greater);
  return {};
}

/// Folds the values of all inputs with `f`, broadcasting scalars and one-element vectors. False when nothing is known.
bool propagate(InferContext& context, DataType type, const std::function<Value(const Dim&, const Dim&)>& f) {
  const std::vector<Dim>* first = context.input_value(0);
  if (!first) return false;
  std::vector<Dim> result = *first;
  for (int i = 1; i < context.num_inputs(); ++i) {
    const std::vector<Dim>* next = context.input_value(i);
    if (!next || (next->size() != result.size() && next->size() != 1 && result.size() != 1)) return false;
    std::vector<Dim> combined;
    for (std::size_t k = 0; k < (result.size() == 1 ? next->size() : result.size()); ++k) {
      const Value value = f(result[result.size() == 1 ? 0 : k], (*next)[next->size() == 1 ? 0 : k]);
      if (!value || !fits(*value, type)) return false;
      combined.push_back(*value);
    }
    result = std::move(combined);
  }
  context.set_output_value(0, std::move(result));
  return true;
}

using Fraction = InferContext::Fraction;

// Fractions stay below these, so that f32 computes exactly what is foretold for extents below 2^14.
constexpr std::int64_t kMaxPart = 1 << 10;
bool is_power_of_two(std::int64_t x) { return (x & (x - 1)) == 0; }

std::optional<Fraction> as_fraction(double value) {
  for (std::int64_t denominator = 1; denominator <= kMaxPart; denominator *= 2) {
    const double numerator = value * static_cast<double>(denominator);
    if (std::abs(numerator) > static_cast<double>(kMaxPart)) break;
    if (numerator == std::floor(numerator)) return Fraction{Dim(static_cast<std::int64_t>(numerator)), denominator};
  }
  return std::nullopt;
}

/// Elements of an input as fractions, from its value, its fractions or its constant.
std::optional<std::vector<Fraction>> fractions_of(InferContext& context, int i) {
  std::vector<Fraction> result;
  if (const std::vector<Dim>* value = context.input_value(i)) {
    for (const Dim& x : *value) {
      if (!within(x, 10)) return std::nullopt;
      result.push_back({x, 1});
    }
    return result;
  }
  if (const std::vector<Fraction>* known = context.input_fractions(i)) return *known;
  const Tensor* constant = context.input_constant(i);
  if (!constant || constant->rank() > 1 || constant->elements() > 64) return std::nullopt;
  for (std::int64_t k = 0; k < constant->elements(); ++k) {
    const auto fraction = as_fraction(constant->type() == DataType::f32   ? static_cast<double>(constant->data<float>()[k])
                                      : constant->type() == DataType::f64 ? constant->data<double>()[k]
                                                                          : std::nan(""));
    if (!fraction) return std::nullopt;
    result.push_back(*fraction);
  }
  return result;
}

/// Sums and products of dyadic fractions are exact in floats. So is the floor of one divided by a whole number: the
/// quotient's distance from the next whole number is larger than its rounding error.
std::optional<Fraction> combine(std::string_view op, const Fraction& a, const Fraction& b) {
  if (!is_power_of_two(a.denominator) || !is_power_of_two(b.denominator)) return std::nullopt;
  Fraction result;
  result.denominator = a.denominator * b.denominator;
  if (op == "Mul") {
    result.numerator = a.numerator * b.numerator;
  } else if (op == "Add" || op == "Sub") {
    const Dim left = a.numerator * Dim(b.denominator), right = b.numerator * Dim(a.denominator);
    result.numerator = op == "Add" ? left + right : left - right;
  } else if (op == "Div" && b.numerator.is_constant() && b.numerator.constant() > 0) {
    if (!is_power_of_two(b.numerator.constant()) && a.denominator > 16) return std::nullopt;
    result.numerator = a.numerator * Dim(b.denominator);
    result.denominator = a.denominator * b.numerator.constant();
  } else {
    return std::nullopt;
  }
  const auto size = result.numerator.lower_bound();  // the sum of the coefficients, where none is negative
  const bool modest = result.denominator <= kMaxPart && size && *size <= kMaxPart && *size >= -kMaxPart;
  return modest ? std::optional(result) : std::nullopt;
}

/// Float arithmetic that does not stay whole: the next Floor, Ceil or Cast makes a value of it again.
void propagate_fractions(InferContext& context) {
  const DataType type = context.input_element(0);
  if (context.num_inputs() != 2 || (type != DataType::f32 && type != DataType::f64)) return;
  const auto left = fractions_of(context, 0), right = fractions_of(context, 1);
  if (!left || !right || left->empty() || right->empty()) return;
  if (left->size() != right->size() && left->size() != 1 && right->size() != 1) return;
  std::vector<Fraction> result;
  for (std::size_t i = 0; i < std::max(left->size(), right->size()); ++i) {
    const auto fraction = combine(context.op(), (*left)[left->size() == 1 ? 0 : i], (*right)[right->size() == 1 ? 0 : i]);
    if (!fraction) return;
    result.push_back(*fraction);
  }
  context.set_output_fractions(0, std::move(result));
}

bool is_float(InferContext& context) { return is_floating(context.input_element(0)); }

}  // namespace

Status round_fractions(InferContext& context, bool down) {
  const std::vector<Fraction>* fractions = context.input_fractions(0);
  if (!fractions) return {};
  std::vector<Dim> result;
  for (const Fraction& x : *fractions) result.push_back(down ? floor_div(x.numerator, Dim(x.denominator)) : ceil_div(x.numerator, Dim(x.denominator)));
  context.set_output_value(0, std::move(result));
  return {};
}

Status cast_fractions(InferContext& context, DataType type) {
  const std::vector<Fraction>* fractions = context.input_fractions(0);
  if (!fractions) return {};
  if (type == DataType::f32 || type == DataType::f64) return context.set_output_fractions(0, *fractions), Status();
  if (type != DataType::i32 && type != DataType::i64) return {};
  for (const Fraction& x : *fractions) {
    if (!at_least(x.numerator, 0)) return {};  // casts round towards zero
  }
  return round_fractions(context, true);
}

Status infer_same_shape(InferContext& context, DataType element) {
  const DataType type = element == DataType::undefined ? context.input_element(0) : element;
  if (type != DataType::undefined) context.set_output_element(0, type);
  if (const SymbolicShape* shape = context.input_shape(0)) context.set_output_shape(0, *shape);
  return {};
}

Status infer_unary(InferContext& context) {
  FOVEA_RETURN_IF_ERROR(infer_same_shape(context));
  const std::string_view op = context.op();
  const std::vector<Dim>* value = context.input_value(0);
  if (!value && (op == "Floor" || op == "Ceil")) return round_fractions(context, op == "Floor");
  if (!value) return {};
  std::vector<Dim> result;
  for (const Dim& x : *value) {
    if (op == "Floor" || op == "Ceil" || op == "Round") {
      result.push_back(x);  // values are whole numbers
    } else if (op == "Neg" && small(x) && fits(x, context.input_element(0))) {
      result.push_back(Dim(0) - x);
    } else if ((op == "Abs" || op == "Relu") && at_least(x, 0)) {
      result.push_back(x);
    } else {
      return {};
    }
  }
  context.set_output_value(0, std::move(result));
  return {};
}

Status infer_unary_bool(InferContext& context) {
  FOVEA_RETURN_IF_ERROR(infer_same_shape(context, DataType::boolean));
  const std::vector<Dim>* value = context.input_value(0);
  if (!value || context.op() != "Not") return {};
  std::vector<Dim> result;
  for (const Dim& x : *value) {
    if (!x.is_constant()) return {};
    result.emplace_back(x.constant() == 0 ? 1 : 0);
  }
  context.set_output_value(0, std::move(result));
  return {};
}

Status check_same_element_type(InferContext& context, int first, int last) {
  for (int i = first + 1; i <= last; ++i) {
    const DataType a = context.input_element(first), b = context.input_element(i);
    if (a != b && a != DataType::undefined && b != DataType::undefined) {
      return invalid_model(context.op(), ": inputs ", first, " and ", i, " must have one element type, found ", name(a), " and ", name(b));
    }
  }
  return {};
}

Status infer_broadcast(InferContext& context, DataType element) {
  if (element != DataType::undefined) context.set_output_element(0, element);
  std::vector<const SymbolicShape*> shapes;
  for (int i = 0; i < context.num_inputs(); ++i) {
    shapes.push_back(context.input_shape(i));
    if (!shapes.back()) return {};
  }
  FOVEA_ASSIGN(SymbolicShape shape, broadcast_shapes(context.op(), shapes));
  context.set_output_shape(0, std::move(shape));
  return {};
}

Status infer_arithmetic(InferContext& context) {
  FOVEA_RETURN_IF_ERROR(check_same_element_type(context, 0, context.num_inputs() - 1));
  FOVEA_RETURN_IF_ERROR(infer_broadcast(context, context.input_element(0)));
  const std::string_view op = context.op();
  const bool floating = is_float(context), fmod = context.attributes().get_int("fmod") != 0;
  const bool whole = propagate(context, context.input_element(0), [&](const Dim& a, const Dim& b) { return arithmetic(op, a, b, floating, fmod); });
  if (!whole && floating) propagate_fractions(context);
  return {};
}

Status infer_comparison(InferContext& context) {
  FOVEA_RETURN_IF_ERROR(check_same_element_type(context, 0, context.num_inputs() - 1));
  FOVEA_RETURN_IF_ERROR(infer_broadcast(context, DataType::boolean));
  const std::string_view op = context.op();
  propagate(context, DataType::boolean, [&](const Dim& a, const Dim& b) { return comparison(op, a, b); });
  return {};
}

}  // namespace fovea::ops
