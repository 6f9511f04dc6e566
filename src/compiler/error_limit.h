// SPDX-License-Identifier: Apache-2.0
// How far a kernel may be from its reference: the one rule, for builds and for the tests of kernels. docs/verification.md
// derives it.
//
//   |kernel - reference| <= 2 u_s |y| + (w g(n) + K u) M        u, u_s  unit roundoff of the arithmetic, of the storage
//                                                               n       most terms added up for one element
//   g(n) = min(n u / (1 - n u), lambda sqrt(n) u)               K       roundings beside the sum
//   lambda = sqrt(2 ln(2 n N / delta))                          w       how the sum's error enters the result, mostly 1
//                                                               M       size of the terms, sum of |term|
#pragma once

#include <cstdint>

#include "device/kernel.h"

namespace fovea::compiler {

/// A right kernel is refused with at most this probability, once in 10^12 tensors.
inline constexpr double kFalseAlarm = 0x1p-40;

/// Largest rounding error of one operation relative to its result; 0 for types that are exact.
double unit_roundoff(DataType type);

/// Accuracy that a kernel's elementary functions (exp, erf, tanh ...) must have, in roundings: 4 units in the last place of
/// at most 2 u each, as backends/cpu/kit/simd_math-inl.h states and tests.
inline constexpr double kFunctionRoundings = 8;

/// What of a problem's arithmetic bounds the error of an element, found from the operator's definition.
struct ErrorTerms {
  bool exact = false;      ///< elements are moved or selected: nothing is rounded
  std::int64_t length = 1;
  double steps = 0;
  double weight = 1;
};
ErrorTerms error_terms(const Problem& problem);

/// w g(n) + K u where `elements` sums are compared, for outputs of `type`: 16-bit ones are stored rounded but computed in f32.
double relative_bound(const ErrorTerms& terms, DataType type, std::int64_t elements);

}  // namespace fovea::compiler
