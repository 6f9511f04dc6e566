// SPDX-License-Identifier: Apache-2.0
// Pointwise programs: what each instruction computes (the definition that every kernel is compared with).
#include <cmath>
#include <limits>

#include "base/float_types.h"
#include "ops/fused/pointwise_program.h"

namespace fovea {

namespace {

/// Rounds or wraps a computed value to the range of `type`.
PointwiseScalar rounded(DataType type, PointwiseScalar value) {
  switch (type) {
    case DataType::f32: value.real = static_cast<float>(value.real); break;
    case DataType::f16: value.real = Half(static_cast<float>(value.real)); break;
    case DataType::bf16: value.real = BFloat16(static_cast<float>(value.real)); break;
    case DataType::i8: value.integer = static_cast<std::int8_t>(value.integer); break;
    case DataType::u8: value.integer = static_cast<std::uint8_t>(value.integer); break;
    case DataType::i16: value.integer = static_cast<std::int16_t>(value.integer); break;
    case DataType::u16: value.integer = static_cast<std::uint16_t>(value.integer); break;
    case DataType::i32: value.integer = static_cast<std::int32_t>(value.integer); break;
    case DataType::u32: value.integer = static_cast<std::uint32_t>(value.integer); break;
    default: break;
  }
  return value;
}

/// Truncates toward zero; what does not fit 64 bits is undefined in ONNX and gives the lowest integer here.
std::int64_t to_integer(double x) {
  if (!(x > -9223372036854775808.0 && x < 9223372036854775808.0)) return std::numeric_limits<std::int64_t>::min();
  return static_cast<std::int64_t>(x);
}

PointwiseScalar cast(DataType from, DataType to, const PointwiseScalar& x) {
  if (to == DataType::boolean) return {.integer = is_floating(from) ? x.real != 0 : x.integer != 0};
  if (is_floating(from)) return is_floating(to) ? x : PointwiseScalar{.integer = to_integer(x.real)};
  if (!is_floating(to)) return x;
  return {.real = from == DataType::u64 ? static_cast<double>(static_cast<std::uint64_t>(x.integer)) : static_cast<double>(x.integer)};
}

double real_unary(PointwiseOp op, double x) {
  switch (op) {
    case PointwiseOp::Abs: return std::fabs(x);
    case PointwiseOp::Acos: return std::acos(x);
    case PointwiseOp::Acosh: return std::acosh(x);
    case PointwiseOp::Asin: return std::asin(x);
    case PointwiseOp::Asinh: return std::asinh(x);
    case PointwiseOp::Atan: return std::atan(x);
    case PointwiseOp::Atanh: return std::atanh(x);
    case PointwiseOp::Ceil: return std::ceil(x);
    case PointwiseOp::Cos: return std::cos(x);
    case PointwiseOp::Cosh: return std::cosh(x);
    case PointwiseOp::Erf: return std::erf(x);
    case PointwiseOp::Exp: return std::exp(x);
    case PointwiseOp::Floor: return std::floor(x);
    case PointwiseOp::Log: return std::log(x);
    case PointwiseOp::Neg: return -x;
    case PointwiseOp::Reciprocal: return 1 / x;
    case PointwiseOp::Relu: return x < 0 ? 0 : x;
    case PointwiseOp::Round: return std::nearbyint(x);
    case PointwiseOp::Sigmoid: return 1 / (1 + std::exp(-x));
    case PointwiseOp::Sign: return x > 0 ? 1 : x < 0 ? -1 : x;
    case PointwiseOp::Sin: return std::sin(x);
    case PointwiseOp::Sinh: return std::sinh(x);
    case PointwiseOp::Softplus: return std::fmax(x, 0) + std::log1p(std::exp(-std::fabs(x)));
    case PointwiseOp::Sqrt: return std::sqrt(x);
    case PointwiseOp::Tan: return std::tan(x);
    case PointwiseOp::Tanh: return std::tanh(x);
    default: return x;
  }
}

double real_binary(PointwiseOp op, double a, double b) {
  switch (op) {
    case PointwiseOp::Add: return a + b;
    case PointwiseOp::Sub: return a - b;
    case PointwiseOp::Mul: return a * b;
    case PointwiseOp::Div: return a / b;
    case PointwiseOp::Fmod: return std::fmod(a, b);
    case PointwiseOp::Max: return std::isnan(a) ? a : std::isnan(b) ? b : a > b ? a : b;
    case PointwiseOp::Min: return std::isnan(a) ? a : std::isnan(b) ? b : a < b ? a : b;
    case PointwiseOp::Pow: return std::pow(a, b);
    default: return a;
  }
}

/// Wrapping arithmetic in 64 bits; dividing by zero gives 0.
std::int64_t integer_binary(PointwiseOp op, std::int64_t a, std::int64_t b) {
  const auto wrap = [](std::uint64_t x) { return static_cast<std::int64_t>(x); };
  const auto ua = static_cast<std::uint64_t>(a), ub = static_cast<std::uint64_t>(b);
  const bool divisible = b != 0 && !(b == -1 && a == std::numeric_limits<std::int64_t>::min());
  switch (op) {
    case PointwiseOp::Add: return wrap(ua + ub);
    case PointwiseOp::Sub: return wrap(ua - ub);
    case PointwiseOp::Mul: return wrap(ua * ub);
    case PointwiseOp::Div: return divisible ? a / b : b == 0 ? 0 : a;
    case PointwiseOp::Fmod: return divisible ? a % b : 0;
    case PointwiseOp::Mod: {
      const std::int64_t r = divisible ? a % b : 0;
      return r != 0 && (r < 0) != (b < 0) ? r + b : r;
    }
    case PointwiseOp::Max: return a > b ? a : b;
    case PointwiseOp::Min: return a < b ? a : b;
    case PointwiseOp::And: return a & b;
    case PointwiseOp::Or: return a | b;
    case PointwiseOp::Xor: return a ^ b;
    default: return a;
  }
}

std::int64_t integer_unary(PointwiseOp op, std::int64_t x) {
  switch (op) {
    case PointwiseOp::Abs: return x < 0 ? integer_binary(PointwiseOp::Sub, 0, x) : x;
    case PointwiseOp::Neg: return integer_binary(PointwiseOp::Sub, 0, x);
    case PointwiseOp::Relu: return x < 0 ? 0 : x;
    case PointwiseOp::Sign: return (x > 0) - (x < 0);
    case PointwiseOp::Not: return x == 0;
    default: return x;
  }
}

template <class T>
bool compare(PointwiseOp op, T a, T b) {
  return op == PointwiseOp::Equal ? a == b : op == PointwiseOp::Less ? a < b : a <= b;
}

}  // namespace

void PointwiseProgram::evaluate(const PointwiseScalar* inputs, PointwiseScalar* values) const {
  for (std::size_t i = 0; i < code.size(); ++i) {
    const PointwiseInstruction& ins = code[i];
    const auto operand = [&](std::size_t k) -> const PointwiseScalar& { return values[ins.operands[k]]; };
    const int count = operands_of(ins.op);
    const DataType from = count > 0 ? type_of(ins.operands[0]) : ins.type;
    PointwiseScalar result;
    switch (ins.op) {
      case PointwiseOp::Input: result = inputs[ins.index]; break;
      case PointwiseOp::Constant: result = ins.constant; break;
      case PointwiseOp::Cast: result = cast(from, ins.type, operand(0)); break;
      case PointwiseOp::Select: result = operand(0).integer ? operand(1) : operand(2); break;
      case PointwiseOp::IsInf: result.integer = std::isinf(operand(0).real); break;
      case PointwiseOp::IsNan: result.integer = std::isnan(operand(0).real); break;
      case PointwiseOp::Equal: case PointwiseOp::Less: case PointwiseOp::LessOrEqual:
        result.integer = is_floating(from) ? compare(ins.op, operand(0).real, operand(1).real) : compare(ins.op, operand(0).integer, operand(1).integer);
        break;
      default:
        if (is_floating(ins.type)) result.real = count == 1 ? real_unary(ins.op, operand(0).real) : real_binary(ins.op, operand(0).real, operand(1).real);
        else result.integer = count == 1 ? integer_unary(ins.op, operand(0).integer) : integer_binary(ins.op, operand(0).integer, operand(1).integer);
    }
    values[i] = rounded(ins.type, result);
  }
}

PointwiseScalar load_scalar(DataType type, const void* data, std::int64_t e) {
  const auto real = [&](auto* p) { return PointwiseScalar{.real = static_cast<double>(static_cast<float>(p[e]))}; };
  const auto integer = [&](auto* p) { return PointwiseScalar{.integer = static_cast<std::int64_t>(p[e])}; };
  switch (type) {
    case DataType::f32: return real(static_cast<const float*>(data));
    case DataType::f16: return real(static_cast<const Half*>(data));
    case DataType::bf16: return real(static_cast<const BFloat16*>(data));
    case DataType::f64: return {.real = static_cast<const double*>(data)[e]};
    case DataType::i8: return integer(static_cast<const std::int8_t*>(data));
    case DataType::u8: return integer(static_cast<const std::uint8_t*>(data));
    case DataType::i16: return integer(static_cast<const std::int16_t*>(data));
    case DataType::u16: return integer(static_cast<const std::uint16_t*>(data));
    case DataType::i32: return integer(static_cast<const std::int32_t*>(data));
    case DataType::u32: return integer(static_cast<const std::uint32_t*>(data));
    case DataType::i64: case DataType::u64: return integer(static_cast<const std::int64_t*>(data));
    case DataType::boolean: return {.integer = static_cast<const std::uint8_t*>(data)[e] != 0};
    default: return {};
  }
}

void store_scalar(DataType type, void* data, std::int64_t e, const PointwiseScalar& value) {
  switch (type) {
    case DataType::f32: static_cast<float*>(data)[e] = static_cast<float>(value.real); break;
    case DataType::f16: static_cast<Half*>(data)[e] = Half(static_cast<float>(value.real)); break;
    case DataType::bf16: static_cast<BFloat16*>(data)[e] = BFloat16(static_cast<float>(value.real)); break;
    case DataType::f64: static_cast<double*>(data)[e] = value.real; break;
    case DataType::i8: case DataType::u8: case DataType::boolean:
      static_cast<std::uint8_t*>(data)[e] = static_cast<std::uint8_t>(value.integer);
      break;
    case DataType::i16: case DataType::u16: static_cast<std::uint16_t*>(data)[e] = static_cast<std::uint16_t>(value.integer); break;
    case DataType::i32: case DataType::u32: static_cast<std::uint32_t*>(data)[e] = static_cast<std::uint32_t>(value.integer); break;
    case DataType::i64: case DataType::u64: static_cast<std::int64_t*>(data)[e] = value.integer; break;
    default: break;
  }
}

}  // namespace fovea
