// SPDX-License-Identifier: Apache-2.0
// Vector loops over contiguous f32 rows that several kernels share: softmax, normalisations, reductions.
#pragma once

#include <cstdint>

namespace fovea::cpu {

struct RowOps {
  float (*max)(const float* x, std::int64_t n);                                             ///< n >= 1
  float (*sum)(const float* x, std::int64_t n);
  float (*sum_squares)(const float* x, float offset, std::int64_t n);                       ///< sum (x - offset)^2
  float (*exp_shifted)(const float* x, float shift, float* y, std::int64_t n);              ///< y = exp(x - shift); returns the sum
  void (*scale)(const float* x, float factor, float* y, std::int64_t n);                    ///< y = factor x
  /// y = (x - mean) * inverse * gamma + beta; gamma and beta may be null.
  void (*normalise)(const float* x, float mean, float inverse, const float* gamma, const float* beta, float* y, std::int64_t n);
  // Elementwise over columns: a is read and written.
  void (*max_into)(float* a, const float* x, std::int64_t n);
  void (*min_into)(float* a, const float* x, std::int64_t n);
  void (*add_into)(float* a, const float* x, std::int64_t n);
  void (*add_squares_into)(float* a, const float* x, std::int64_t n);
  void (*exp_columns)(const float* x, const float* shift, float* y, std::int64_t n);        ///< y = exp(x - shift)
  void (*divide_columns)(float* y, const float* divisor, std::int64_t n);                   ///< y = y / divisor
};

/// The loops for the machine this runs on.
const RowOps& row_ops();

}  // namespace fovea::cpu
