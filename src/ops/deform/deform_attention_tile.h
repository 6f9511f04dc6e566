// SPDX-License-Identifier: Apache-2.0
// The inner part of the tuned deformable attention: some queries of one batch item and head.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/tensor_desc.h"

namespace fovea::cpu {

/// The level that each of the samples of a query reads. Arrays of padded_samples() elements.
struct SampleTable {
  float *height, *width;           ///< of the level
  std::int32_t *last_row, *last_column;  ///< -1 for a level without elements
  std::int32_t *columns, *start;   ///< row of value = start + y * columns + x
};

struct AttentionTile {
  const void *value, *locations, *weights;  ///< at the first query, this batch item and head
  void* y;
  std::int64_t queries, samples, width;
  std::int64_t value_step;                                ///< elements between rows of value
  std::int64_t locations_step, weights_step, y_step;      ///< elements between queries
  const SampleTable* table;
  bool softmax;
  void* scratch;  ///< tile_scratch_bytes(), 64-byte aligned
};

/// Room for whole vectors, and for one more that a compressing store may touch.
inline constexpr std::int64_t kSamplePadding = 16;
inline std::int64_t padded_samples(std::int64_t samples) { return (samples + 2 * kSamplePadding - 1) / kSamplePadding * kSamplePadding; }
/// Locations, weights, and for each of the four corners a weight and an index; then a row of f32.
inline std::size_t tile_scratch_bytes(std::int64_t samples, std::int64_t width) {
  const std::int64_t words = (3 + 8) * padded_samples(samples) + (width + kSamplePadding - 1) / kSamplePadding * kSamplePadding;
  return static_cast<std::size_t>(words) * sizeof(float);
}

/// For value, locations, weights and y of one type: f32, f16 or bf16. Null where this machine has no vector code for it.
using AttentionTileFunction = void (*)(const AttentionTile&);
AttentionTileFunction attention_tile_function(DataType type);

}  // namespace fovea::cpu
