// SPDX-License-Identifier: Apache-2.0
// The batched matrix product of float operands for reference kernels: matrix_product.h with sums in f64, read where they lie.
#pragma once

#include "ops/fused/matmul_shapes.h"
#include "ops/matmul/wide_product.h"

namespace fovea::ops {

/// emit(index of the first element in y, count, sums) for pieces of rows of y[batch, m, n], from several threads.
template <class T, class Emit>
void float_product(const MatMulShapes& s, const T* a, const T* b, const Emit& emit) {
  // Rows of all batch entries that multiply one and the same matrix are the rows of one product.
  const bool together = s.b_batch.elements() == 1 && !s.a_swapped && s.a_batch.elements() == s.batch.elements();
  const std::int64_t batches = s.batch.elements();
  const WideProductShape shape = together ? WideProductShape{1, batches * s.m, s.k, s.n} : WideProductShape{batches, s.m, s.k, s.n};
  const auto copy = [](const T* src, std::int64_t stride, std::int64_t count, double* dst) {
    for (std::int64_t i = 0; i < count; ++i) dst[i] = static_cast<double>(src[i * stride]);
  };
  wide_product(
      shape,
      [&](std::int64_t batch, std::int64_t i, std::int64_t p, std::int64_t count, double* dst) {
        const T* const left = a + s.operand_index(s.a_batch, batch) * s.m * s.k;
        s.a_swapped ? copy(left + p * s.m + i, s.m, count, dst) : copy(left + i * s.k + p, 1, count, dst);
      },
      [&](std::int64_t batch, std::int64_t p, std::int64_t j, std::int64_t count, double* dst) {
        const T* const right = b + s.operand_index(s.b_batch, batch) * s.k * s.n;
        s.b_swapped ? copy(right + j * s.k + p, s.k, count, dst) : copy(right + p * s.n + j, 1, count, dst);
      },
      [&](std::int64_t batch, std::int64_t i, std::int64_t j, std::int64_t count, const double* sums) { emit((batch * shape.m + i) * s.n + j, count, sums); });
}

}  // namespace fovea::ops
