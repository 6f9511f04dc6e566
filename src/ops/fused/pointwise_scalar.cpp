// SPDX-License-Identifier: Apache-2.0
// Pointwise instructions as plain loops, for the types and functions that have no vector code.
#include <cmath>
#include <limits>
#include <type_traits>

#include "base/float_types.h"
#include "ops/fused/pointwise_tiles.h"

namespace fovea::cpu {

namespace {

struct Boolean {
  std::uint8_t byte;
};

/// A stored element as the C++ value it stands for.
template <class T>
auto read(T x) {
  if constexpr (std::is_same_v<T, Half> || std::is_same_v<T, BFloat16>) return static_cast<float>(x);
  else if constexpr (std::is_same_v<T, Boolean>) return x.byte != 0;
  else return x;
}

/// ONNX Cast. A float outside the target's 64-bit range gives the lowest integer, as in the reference.
template <class To, class From>
To convert(From x) {
  if constexpr (std::is_same_v<To, Boolean>) {
    return Boolean{static_cast<std::uint8_t>(x != 0)};
  } else if constexpr (std::is_same_v<To, Half> || std::is_same_v<To, BFloat16>) {
    return To(static_cast<float>(x));
  } else if constexpr (std::is_floating_point_v<From> && std::is_integral_v<To>) {
    const bool fits = x > static_cast<From>(-9223372036854775808.0) && x < static_cast<From>(9223372036854775808.0);
    return static_cast<To>(fits ? static_cast<std::int64_t>(x) : std::numeric_limits<std::int64_t>::min());
  } else {
    return static_cast<To>(x);
  }
}

template <class From, class To>
void tile_cast(const void* const* operands, void* result, std::int64_t n) {
  const From* x = static_cast<const From*>(operands[0]);
  To* y = static_cast<To*>(result);
  for (std::int64_t i = 0; i < n; ++i) y[i] = convert<To>(read(x[i]));
}

template <std::size_t kBytes>
void tile_select(const void* const* operands, void* result, std::int64_t n) {
  struct Element {
    unsigned char bytes[kBytes];
  };
  const auto* c = static_cast<const std::uint8_t*>(operands[0]);
  const Element *a = static_cast<const Element*>(operands[1]), *b = static_cast<const Element*>(operands[2]);
  for (std::int64_t i = 0; i < n; ++i) static_cast<Element*>(result)[i] = c[i] ? a[i] : b[i];
}

template <class T, T (*kFunction)(T)>
void tile_unary(const void* const* operands, void* result, std::int64_t n) {
  const T* x = static_cast<const T*>(operands[0]);
  for (std::int64_t i = 0; i < n; ++i) static_cast<T*>(result)[i] = kFunction(x[i]);
}

template <class T, T (*kFunction)(T, T)>
void tile_binary(const void* const* operands, void* result, std::int64_t n) {
  const T *a = static_cast<const T*>(operands[0]), *b = static_cast<const T*>(operands[1]);
  for (std::int64_t i = 0; i < n; ++i) static_cast<T*>(result)[i] = kFunction(a[i], b[i]);
}

template <class T, bool (*kFunction)(T, T)>
void tile_compare(const void* const* operands, void* result, std::int64_t n) {
  const T *a = static_cast<const T*>(operands[0]), *b = static_cast<const T*>(operands[1]);
  for (std::int64_t i = 0; i < n; ++i) static_cast<std::uint8_t*>(result)[i] = kFunction(a[i], b[i]);
}

template <class T, bool (*kFunction)(T)>
void tile_test(const void* const* operands, void* result, std::int64_t n) {
  const T* x = static_cast<const T*>(operands[0]);
  for (std::int64_t i = 0; i < n; ++i) static_cast<std::uint8_t*>(result)[i] = kFunction(x[i]);
}

// --- real functions
#define FOVEA_REAL(name, expression) template <class T> T name(T x) { return expression; }
FOVEA_REAL(real_abs, std::fabs(x))
FOVEA_REAL(real_acos, std::acos(x))
FOVEA_REAL(real_acosh, std::acosh(x))
FOVEA_REAL(real_asin, std::asin(x))
FOVEA_REAL(real_asinh, std::asinh(x))
FOVEA_REAL(real_atan, std::atan(x))
FOVEA_REAL(real_atanh, std::atanh(x))
FOVEA_REAL(real_ceil, std::ceil(x))
FOVEA_REAL(real_cos, std::cos(x))
FOVEA_REAL(real_cosh, std::cosh(x))
FOVEA_REAL(real_erf, std::erf(x))
FOVEA_REAL(real_exp, std::exp(x))
FOVEA_REAL(real_floor, std::floor(x))
FOVEA_REAL(real_log, std::log(x))
FOVEA_REAL(real_neg, -x)
FOVEA_REAL(real_reciprocal, 1 / x)
FOVEA_REAL(real_relu, x < 0 ? T(0) : x)
FOVEA_REAL(real_round, std::nearbyint(x))
FOVEA_REAL(real_sigmoid, 1 / (1 + std::exp(-x)))
FOVEA_REAL(real_sign, x > 0 ? T(1) : x < 0 ? T(-1) : x)
FOVEA_REAL(real_sin, std::sin(x))
FOVEA_REAL(real_sinh, std::sinh(x))
FOVEA_REAL(real_softplus, std::fmax(x, T(0)) + std::log1p(std::exp(-std::fabs(x))))
FOVEA_REAL(real_sqrt, std::sqrt(x))
FOVEA_REAL(real_tan, std::tan(x))
FOVEA_REAL(real_tanh, std::tanh(x))
#undef FOVEA_REAL
template <class T> bool real_isinf(T x) { return std::isinf(x); }
template <class T> bool real_isnan(T x) { return std::isnan(x); }
template <class T> T real_add(T a, T b) { return a + b; }
template <class T> T real_sub(T a, T b) { return a - b; }
template <class T> T real_mul(T a, T b) { return a * b; }
template <class T> T real_div(T a, T b) { return a / b; }
template <class T> T real_fmod(T a, T b) { return std::fmod(a, b); }
template <class T> T real_max(T a, T b) { return std::isnan(a) ? a : std::isnan(b) ? b : a > b ? a : b; }
template <class T> T real_min(T a, T b) { return std::isnan(a) ? a : std::isnan(b) ? b : a < b ? a : b; }
template <class T> T real_pow(T a, T b) { return static_cast<T>(std::pow(static_cast<double>(a), static_cast<double>(b))); }

// --- integers: wrapping; division by zero gives 0
template <class T> T wrap(std::make_unsigned_t<T> x) { return static_cast<T>(x); }
template <class T> T int_add(T a, T b) { using U = std::make_unsigned_t<T>; return wrap<T>(U(a) + U(b)); }
template <class T> T int_sub(T a, T b) { using U = std::make_unsigned_t<T>; return wrap<T>(U(a) - U(b)); }
template <class T> T int_mul(T a, T b) { using U = std::make_unsigned_t<T>; return wrap<T>(U(a) * U(b)); }
template <class T> T int_neg(T a) { return int_sub<T>(0, a); }
template <class T> T int_abs(T a) { return a < 0 ? int_neg(a) : a; }
template <class T> T int_relu(T a) { return a < 0 ? T(0) : a; }
template <class T> T int_sign(T a) { return T((a > 0) - (a < 0)); }
template <class T> T int_max(T a, T b) { return a > b ? a : b; }
template <class T> T int_min(T a, T b) { return a < b ? a : b; }
template <class T> bool divisible(T a, T b) { return b != 0 && !(b == -1 && a == std::numeric_limits<T>::min()); }
template <class T> T int_div(T a, T b) { return divisible(a, b) ? a / b : b == 0 ? T(0) : a; }
template <class T> T int_fmod(T a, T b) { return divisible(a, b) ? a % b : T(0); }
template <class T> T int_mod(T a, T b) {
  const T r = int_fmod(a, b);
  return r != 0 && (r < 0) != (b < 0) ? r + b : r;
}

template <class T> bool equal(T a, T b) { return a == b; }
template <class T> bool less(T a, T b) { return a < b; }
template <class T> bool less_or_equal(T a, T b) { return a <= b; }

std::uint8_t bool_and(std::uint8_t a, std::uint8_t b) { return (a != 0) & (b != 0); }
std::uint8_t bool_or(std::uint8_t a, std::uint8_t b) { return (a != 0) | (b != 0); }
std::uint8_t bool_xor(std::uint8_t a, std::uint8_t b) { return (a != 0) ^ (b != 0); }
std::uint8_t bool_not(std::uint8_t a) { return a == 0; }
bool bool_equal(std::uint8_t a, std::uint8_t b) { return (a != 0) == (b != 0); }

template <class T>
TileFunction real_function(PointwiseOp op) {
  switch (op) {
    case PointwiseOp::Abs: return tile_unary<T, real_abs<T>>;
    case PointwiseOp::Acos: return tile_unary<T, real_acos<T>>;
    case PointwiseOp::Acosh: return tile_unary<T, real_acosh<T>>;
    case PointwiseOp::Asin: return tile_unary<T, real_asin<T>>;
    case PointwiseOp::Asinh: return tile_unary<T, real_asinh<T>>;
    case PointwiseOp::Atan: return tile_unary<T, real_atan<T>>;
    case PointwiseOp::Atanh: return tile_unary<T, real_atanh<T>>;
    case PointwiseOp::Ceil: return tile_unary<T, real_ceil<T>>;
    case PointwiseOp::Cos: return tile_unary<T, real_cos<T>>;
    case PointwiseOp::Cosh: return tile_unary<T, real_cosh<T>>;
    case PointwiseOp::Erf: return tile_unary<T, real_erf<T>>;
    case PointwiseOp::Exp: return tile_unary<T, real_exp<T>>;
    case PointwiseOp::Floor: return tile_unary<T, real_floor<T>>;
    case PointwiseOp::Log: return tile_unary<T, real_log<T>>;
    case PointwiseOp::Neg: return tile_unary<T, real_neg<T>>;
    case PointwiseOp::Reciprocal: return tile_unary<T, real_reciprocal<T>>;
    case PointwiseOp::Relu: return tile_unary<T, real_relu<T>>;
    case PointwiseOp::Round: return tile_unary<T, real_round<T>>;
    case PointwiseOp::Sigmoid: return tile_unary<T, real_sigmoid<T>>;
    case PointwiseOp::Sign: return tile_unary<T, real_sign<T>>;
    case PointwiseOp::Sin: return tile_unary<T, real_sin<T>>;
    case PointwiseOp::Sinh: return tile_unary<T, real_sinh<T>>;
    case PointwiseOp::Softplus: return tile_unary<T, real_softplus<T>>;
    case PointwiseOp::Sqrt: return tile_unary<T, real_sqrt<T>>;
    case PointwiseOp::Tan: return tile_unary<T, real_tan<T>>;
    case PointwiseOp::Tanh: return tile_unary<T, real_tanh<T>>;
    case PointwiseOp::Add: return tile_binary<T, real_add<T>>;
    case PointwiseOp::Sub: return tile_binary<T, real_sub<T>>;
    case PointwiseOp::Mul: return tile_binary<T, real_mul<T>>;
    case PointwiseOp::Div: return tile_binary<T, real_div<T>>;
    case PointwiseOp::Fmod: return tile_binary<T, real_fmod<T>>;
    case PointwiseOp::Max: return tile_binary<T, real_max<T>>;
    case PointwiseOp::Min: return tile_binary<T, real_min<T>>;
    case PointwiseOp::Pow: return tile_binary<T, real_pow<T>>;
    case PointwiseOp::IsInf: return tile_test<T, real_isinf<T>>;
    case PointwiseOp::IsNan: return tile_test<T, real_isnan<T>>;
    case PointwiseOp::Equal: return tile_compare<T, equal<T>>;
    case PointwiseOp::Less: return tile_compare<T, less<T>>;
    case PointwiseOp::LessOrEqual: return tile_compare<T, less_or_equal<T>>;
    default: return nullptr;
  }
}

template <class T>
TileFunction integer_function(PointwiseOp op) {
  switch (op) {
    case PointwiseOp::Abs: return tile_unary<T, int_abs<T>>;
    case PointwiseOp::Neg: return tile_unary<T, int_neg<T>>;
    case PointwiseOp::Relu: return tile_unary<T, int_relu<T>>;
    case PointwiseOp::Sign: return tile_unary<T, int_sign<T>>;
    case PointwiseOp::Add: return tile_binary<T, int_add<T>>;
    case PointwiseOp::Sub: return tile_binary<T, int_sub<T>>;
    case PointwiseOp::Mul: return tile_binary<T, int_mul<T>>;
    case PointwiseOp::Div: return tile_binary<T, int_div<T>>;
    case PointwiseOp::Mod: return tile_binary<T, int_mod<T>>;
    case PointwiseOp::Fmod: return tile_binary<T, int_fmod<T>>;
    case PointwiseOp::Max: return tile_binary<T, int_max<T>>;
    case PointwiseOp::Min: return tile_binary<T, int_min<T>>;
    case PointwiseOp::Equal: return tile_compare<T, equal<T>>;
    case PointwiseOp::Less: return tile_compare<T, less<T>>;
    case PointwiseOp::LessOrEqual: return tile_compare<T, less_or_equal<T>>;
    default: return nullptr;
  }
}

TileFunction boolean_function(PointwiseOp op) {
  switch (op) {
    case PointwiseOp::And: return tile_binary<std::uint8_t, bool_and>;
    case PointwiseOp::Or: return tile_binary<std::uint8_t, bool_or>;
    case PointwiseOp::Xor: return tile_binary<std::uint8_t, bool_xor>;
    case PointwiseOp::Not: return tile_unary<std::uint8_t, bool_not>;
    case PointwiseOp::Equal: return tile_compare<std::uint8_t, bool_equal>;
    default: return nullptr;
  }
}

template <class From>
TileFunction cast_from(DataType to) {
  switch (to) {
    case DataType::f32: return tile_cast<From, float>;
    case DataType::f16: return tile_cast<From, Half>;
    case DataType::bf16: return tile_cast<From, BFloat16>;
    case DataType::f64: return tile_cast<From, double>;
    case DataType::i8: return tile_cast<From, std::int8_t>;
    case DataType::u8: return tile_cast<From, std::uint8_t>;
    case DataType::i16: return tile_cast<From, std::int16_t>;
    case DataType::u16: return tile_cast<From, std::uint16_t>;
    case DataType::i32: return tile_cast<From, std::int32_t>;
    case DataType::u32: return tile_cast<From, std::uint32_t>;
    case DataType::i64: return tile_cast<From, std::int64_t>;
    case DataType::u64: return tile_cast<From, std::uint64_t>;
    case DataType::boolean: return tile_cast<From, Boolean>;
    default: return nullptr;
  }
}

TileFunction cast_function(DataType from, DataType to) {
  switch (from) {
    case DataType::f32: return cast_from<float>(to);
    case DataType::f16: return cast_from<Half>(to);
    case DataType::bf16: return cast_from<BFloat16>(to);
    case DataType::f64: return cast_from<double>(to);
    case DataType::i8: return cast_from<std::int8_t>(to);
    case DataType::u8: return cast_from<std::uint8_t>(to);
    case DataType::i16: return cast_from<std::int16_t>(to);
    case DataType::u16: return cast_from<std::uint16_t>(to);
    case DataType::i32: return cast_from<std::int32_t>(to);
    case DataType::u32: return cast_from<std::uint32_t>(to);
    case DataType::i64: return cast_from<std::int64_t>(to);
    case DataType::u64: return cast_from<std::uint64_t>(to);
    case DataType::boolean: return cast_from<Boolean>(to);
    default: return nullptr;
  }
}

}  // namespace

TileFunction scalar_tile_function(PointwiseOp op, DataType operand, DataType type) {
  if (op == PointwiseOp::Cast) return cast_function(operand, type);
  if (op == PointwiseOp::Select) {
    switch (size_of(type)) {
      case 1: return tile_select<1>;
      case 2: return tile_select<2>;
      case 4: return tile_select<4>;
      default: return tile_select<8>;
    }
  }
  switch (operand) {
    case DataType::f32: return real_function<float>(op);
    case DataType::f64: return real_function<double>(op);
    case DataType::i32: return integer_function<std::int32_t>(op);
    case DataType::i64: return integer_function<std::int64_t>(op);
    case DataType::boolean: return boolean_function(op);
    default: return nullptr;
  }
}

}  // namespace fovea::cpu
