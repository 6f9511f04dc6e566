// SPDX-License-Identifier: Apache-2.0
// The plain matrix product of all reference kernels: batches broadcast, operands stored as they are or swapped.
#pragma once

#include <vector>

#include "ops/fused/matmul_shapes.h"

namespace fovea::ops {

/// y[batch, i, j] = sum over k of a[batch, i, k] * b[batch, k, j]. T is double, or an unsigned integer type (wraps).
/// Rows are independent, so the result does not depend on the number of threads.
template <class T>
void matrix_product(const MatMulShapes& s, const T* a, const T* b, T* y) {
  // B with its rows along n, so that the inner loop streams through memory.
  std::vector<T> straight;
  if (s.b_swapped) {
    straight.resize(static_cast<std::size_t>(s.b_batch.elements() * s.k * s.n));
    for (std::int64_t batch = 0; batch < s.b_batch.elements(); ++batch) {
      for (std::int64_t j = 0; j < s.n; ++j) {
        for (std::int64_t k = 0; k < s.k; ++k) straight[static_cast<std::size_t>((batch * s.k + k) * s.n + j)] = b[(batch * s.n + j) * s.k + k];
      }
    }
    b = straight.data();
  }
  const std::int64_t rows = s.batch.elements() * s.m;
#pragma omp parallel for schedule(static) if (rows * s.k * s.n > 65536)
  for (std::int64_t row = 0; row < rows; ++row) {
    const std::int64_t batch = row / s.m, i = row % s.m;
    const T* left = a + s.operand_index(s.a_batch, batch) * s.m * s.k;
    const T* right = b + s.operand_index(s.b_batch, batch) * s.k * s.n;
    T* out = y + row * s.n;
    for (std::int64_t j = 0; j < s.n; ++j) out[j] = T(0);
    for (std::int64_t k = 0; k < s.k; ++k) {
      const T factor = s.a_swapped ? left[k * s.m + i] : left[i * s.k + k];
      for (std::int64_t j = 0; j < s.n; ++j) out[j] += factor * right[k * s.n + j];
    }
  }
}

}  // namespace fovea::ops
