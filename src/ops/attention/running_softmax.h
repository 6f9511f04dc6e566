// SPDX-License-Identifier: Apache-2.0
// A softmax over columns that come tile by tile: what has been summed up so far is brought down when a much larger
// score appears.
#pragma once

#include <cstdint>

namespace fovea::cpu {

/// Partial sums of a row; a multiple of every vector's lanes.
inline constexpr std::int64_t kRowSums = 16;

/// Some rows at work. Before the first tile the shifts are -infinity, sums and results 0.
struct SoftmaxRows {
  std::int64_t rows;
  float* shifts;   ///< of each row: scores are counted from here
  float* sums;     ///< [rows, kRowSums]; together the sum of a row's weights
  float* results;  ///< [rows, width], sums of weights times something
  std::int64_t width;
};

/// Replaces scores [rows, columns] by weights exp(score - shift). A row's shift moves, and its sums and result with it, only
/// when a score is above it by more than 8: weights up to exp(8) lose nothing. Columns are a multiple of kRowSums, `step`
/// elements lie between rows. Scores of -infinity count for nothing.
using SoftenScores = void (*)(const SoftmaxRows& rows, float* scores, std::int64_t step, std::int64_t columns);

/// The loops for the machine this runs on.
SoftenScores soften_scores();

}  // namespace fovea::cpu
