// SPDX-License-Identifier: Apache-2.0
// Integer arithmetic with every result defined: wrap-around, no undefined behaviour on any operands.
#pragma once

#include <limits>
#include <type_traits>

namespace fovea::ops {

/// Unsigned type of at least int's width, so that neither signedness nor promotion can overflow.
template <class T> using WrapType = std::common_type_t<std::make_unsigned_t<T>, unsigned>;

template <class T> T wrap_add(T a, T b) { return static_cast<T>(static_cast<WrapType<T>>(a) + static_cast<WrapType<T>>(b)); }
template <class T> T wrap_sub(T a, T b) { return static_cast<T>(static_cast<WrapType<T>>(a) - static_cast<WrapType<T>>(b)); }
template <class T> T wrap_mul(T a, T b) { return static_cast<T>(static_cast<WrapType<T>>(a) * static_cast<WrapType<T>>(b)); }

/// Rounds towards zero; b must not be 0. MIN / -1 wraps to MIN.
template <class T> T wrap_div(T a, T b) {
  if constexpr (std::is_signed_v<T>) {
    if (b == -1) return wrap_sub(T(0), a);
  }
  return static_cast<T>(a / b);
}
/// Remainder with the sign of a; b must not be 0.
template <class T> T truncated_mod(T a, T b) {
  if constexpr (std::is_signed_v<T>) {
    if (b == -1) return T(0);
  }
  return static_cast<T>(a % b);
}
/// Remainder with the sign of b; b must not be 0.
template <class T> T floored_mod(T a, T b) {
  const T r = truncated_mod(a, b);
  return r != 0 && (r < 0) != (b < 0) ? static_cast<T>(r + b) : r;
}
/// a to a non-negative power, modulo 2^width.
template <class T> T wrap_pow(T a, unsigned long long exponent) {
  T result = 1;
  for (; exponent != 0; exponent >>= 1, a = wrap_mul(a, a)) {
    if (exponent & 1) result = wrap_mul(result, a);
  }
  return result;
}

}  // namespace fovea::ops
