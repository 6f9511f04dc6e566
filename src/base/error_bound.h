// SPDX-License-Identifier: Apache-2.0
// How far a kernel may be from the reference: derived from the element type and the number of terms that are
// summed for one output element. Kernel tests and the verifier of the build use the same rule.
#pragma once

#include <cmath>
#include <cstdint>

#include "fovea/tensor.h"

namespace fovea {

/// Distance from 1 to the next larger number of a floating type; 0 for types that are exact.
inline double epsilon_of(DataType type) {
  switch (type) {
    case DataType::f64: return 0x1p-52;
    case DataType::f32: return 0x1p-23;
    case DataType::f16: return 0x1p-10;
    case DataType::bf16: return 0x1p-7;
    default: return 0;
  }
}

/// Largest allowed absolute error of an element, for outputs with largest magnitude `range`. Rounding errors of a
/// sum of n terms grow like sqrt(n) when they are independent; the factor 8 leaves room for the few that are not,
/// and for functions (exp, tanh ...) that are good to a few units in the last place.
inline double error_bound(DataType type, std::int64_t reduction_length, double range) {
  return 8 * epsilon_of(type) * (1 + std::sqrt(static_cast<double>(reduction_length))) * range;
}

}  // namespace fovea
