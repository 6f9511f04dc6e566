// SPDX-License-Identifier: Apache-2.0
// Smallest and largest value of an integer type, for saturation.
#pragma once

#include <algorithm>
#include <cmath>

#include "base/element_types.h"

namespace fovea::ops {

struct IntegerRange {
  double low = 0, high = 0;
  /// NaN becomes 0 before clamping, as a cast would do.
  double clamp(double value) const { return std::isnan(value) ? std::clamp(0.0, low, high) : std::clamp(value, low, high); }
};

inline IntegerRange integer_range(DataType type) {
  const int bits = bits_of(type);
  if (is_signed(type)) return {-std::ldexp(1.0, bits - 1), std::ldexp(1.0, bits - 1) - 1};
  return {0, std::ldexp(1.0, bits) - 1};
}

}  // namespace fovea::ops
