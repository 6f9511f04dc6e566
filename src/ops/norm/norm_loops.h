// SPDX-License-Identifier: Apache-2.0
// Vector loops of the normalisations in f32. Mean and variance are found so that a large mean costs no digits: a first
// pass over a block finds its mean roughly, a second one sums the differences d from it and their squares, so
//   mean = rough + sum(d) / n,   sum of squares about the mean = sum(d^2) - sum(d)^2 / n
// (the corrected two-pass algorithm of Chan, Golub and LeVeque, 1983); blocks are merged by their pairwise rule. The
// mean stays two numbers, for f32 does not hold it to the precision that (x - mean) needs.
#pragma once

#include <cstdint>

namespace fovea::cpu {

/// Elements whose two passes stay in the L1 cache. Results depend on it, so it is no matter of taste or of the machine.
inline constexpr std::int64_t kMomentsBlock = 4096;

struct Moments {
  double count = 0, mean = 0, squares = 0;  ///< squares: sum of (x - mean)^2
};

/// Takes b into a.
inline void merge(Moments& a, const Moments& b) {
  const double count = a.count + b.count, difference = b.mean - a.mean;
  if (count == 0) return;
  a.mean += difference * (b.count / count);
  a.squares += b.squares + difference * difference * (a.count * b.count / count);
  a.count = count;
}

/// Per column (channel) of a channels-last tensor; the mean is offset + mean.
struct ColumnMoments {
  float* offset = nullptr;
  float* mean = nullptr;
  float* squares = nullptr;
};

struct RowNorm {
  std::int64_t n = 1;            ///< elements of a row
  float epsilon = 0;
  bool centred = true;           ///< false: mean 0 (RMSNormalization)
  const float* gamma = nullptr;  ///< n factors, or null
  const float* beta = nullptr;   ///< n summands, or null
};

struct NormLoops {
  /// Of n >= 1 elements, block by block.
  Moments (*moments)(const float* x, std::int64_t n);
  /// y = (x - offset) * factor + summand
  void (*scale_shift)(const float* x, float offset, float factor, float summand, float* y, std::int64_t n);
  /// y = (x - mean) / sqrt(variance + epsilon) * gamma + beta for each of `rows` rows; means and inverses (1 / sqrt) are
  /// written where they are not null.
  void (*rows)(const RowNorm& norm, const float* x, float* y, float* means, float* inverses, std::int64_t rows);
  /// Of `positions` >= 1 rows of `columns` elements. `work` has room for 3 * columns numbers.
  void (*column_moments)(const float* x, std::int64_t positions, std::int64_t columns, float* work, const ColumnMoments& result);
  /// Takes b, over b_count positions, into a.
  void (*merge_columns)(const ColumnMoments& a, std::int64_t a_count, const ColumnMoments& b, std::int64_t b_count, std::int64_t columns);
  /// y = (x - offset[c]) * factor[c] + summand[c]
  void (*scale_shift_columns)(const float* x, const float* offset, const float* factor, const float* summand, float* y, std::int64_t positions,
                              std::int64_t columns);
};

/// The loops for the machine this runs on.
const NormLoops& norm_loops();

}  // namespace fovea::cpu
