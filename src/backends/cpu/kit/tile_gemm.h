// SPDX-License-Identifier: Apache-2.0
// A small f32 matrix product for kernels that make one operand tile by tile (sampled or gathered columns) and so cannot
// use a library's product of whole matrices. One thread, no memory of its own; every element is summed in the same
// order whatever the tile it is in.
#pragma once

#include <cstdint>
#include <span>

namespace fovea::cpu {

struct TileGemm {
  /// Columns of a panel: b lies as k rows of `panel` numbers, one behind the other.
  std::int64_t panel;
  /// Rows that are computed together: tiles of a multiple of this waste nothing.
  std::int64_t rows;
  /// c[m, n] += a[m, k] * b[k, n] for n <= panel; lda and ldc are row strides. Columns of b from n on are read as far
  /// as the panel goes, but count for nothing. `next`: what of b the call after this one begins with; it is fetched
  /// into the cache meanwhile.
  void (*accumulate)(const float* a, std::int64_t lda, const float* b, float* c, std::int64_t ldc, std::int64_t m, std::int64_t n, std::int64_t k,
                     std::span<const float> next);
};

/// For the machine this runs on.
const TileGemm& tile_gemm();

}  // namespace fovea::cpu
