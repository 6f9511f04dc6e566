// SPDX-License-Identifier: Apache-2.0
// Conversion of elements between any two types, as ONNX Cast defines it.
#pragma once

#include <cmath>
#include <limits>
#include <type_traits>

#include "base/element_types.h"

namespace fovea::ops {

struct CastOptions {
  bool saturate = true;                               ///< 8-bit floats only
  F8E8M0::Round e8m0_round = F8E8M0::Round::up;
};

/// Truncates towards zero. Out of range is left open by ONNX: here 8- and 16-bit types keep the low bits, as
/// processors do, wider ones saturate, and NaN gives 0.
template <class T>
T float_to_integer(double value) {
  if (std::isnan(value)) return T(0);
  if constexpr (sizeof(T) <= 2) {
    const double limited = value > 0x1p62 ? 0x1p62 : value < -0x1p62 ? -0x1p62 : value;
    return static_cast<T>(static_cast<std::int64_t>(limited));
  } else {
    constexpr double kLow = static_cast<double>(std::numeric_limits<T>::min());
    const double high = std::ldexp(1.0, std::numeric_limits<T>::digits);  // max + 1, exact in double
    if (value >= high) return std::numeric_limits<T>::max();
    return value <= kLow ? std::numeric_limits<T>::min() : static_cast<T>(value);
  }
}

/// double -> float that keeps, in the last bit, whether anything was lost ("round to odd"): rounding the result
/// further to 16 bits then equals rounding the double once.
float round_to_odd(double value);

/// Fills `to` (any type but complex, same number of elements) from `from`. Fails on text that is no number.
Status cast_elements(const Tensor& from, Tensor& to, std::string_view where, CastOptions options = {});
/// A new tensor of another type; the same tensor when the types agree.
Result<Tensor> cast_tensor(const Tensor& from, DataType type, std::string_view where, CastOptions options = {});

}  // namespace fovea::ops
