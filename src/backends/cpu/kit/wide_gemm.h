// SPDX-License-Identifier: Apache-2.0
// A small f64 matrix product for reference kernels. Each element is summed in the order of k onto what c holds, so for
// numbers that were f32 (their products are exact in f64) the bits are those of the plain loop, on every machine.
#pragma once

#include <cstdint>

namespace fovea::cpu {

struct WideGemm {
  /// Columns of a panel: b lies as k rows of `panel` numbers, one behind the other.
  std::int64_t panel;
  /// Rows that are computed together: tiles of a multiple of this waste nothing.
  std::int64_t rows;
  /// c[m, panel] += a[m, k] * b[k, panel]; lda and ldc are row strides.
  void (*accumulate)(const double* a, std::int64_t lda, const double* b, double* c, std::int64_t ldc, std::int64_t m, std::int64_t k);
};

/// For the machine this runs on.
const WideGemm& wide_gemm();

}  // namespace fovea::cpu
