// SPDX-License-Identifier: Apache-2.0
// The matrix product of the float reference kernels: y[i, j] = sum over p of a[i, p] * b[p, j] in f64, in the order of p.
// A block at a time, widened on the way, so that nothing is copied as a whole. Elements are independent: the result
// does not depend on the number of threads.
#pragma once

#include <omp.h>

#include <algorithm>
#include <vector>

#include "backends/cpu/kit/wide_gemm.h"

namespace fovea::ops {

struct WideProductShape {
  std::int64_t batch = 1, m = 1, k = 1, n = 1;
};

/// fill_a(batch, i, p, count, dst): a[i, p .. p + count); fill_b(batch, p, j, count, dst): b[p, j .. j + count);
/// emit(batch, i, j, count, sums): y[i, j .. j + count). They are called from several threads.
template <class FillA, class FillB, class Emit>
void wide_product(const WideProductShape& s, const FillA& fill_a, const FillB& fill_b, const Emit& emit) {
  // Blocks of a (192 KiB) and b (256 KiB) and their sums lie in the second-level cache, a panel of b in the first.
  constexpr std::int64_t kDepth = 128, kRows = 192, kColumns = 256;
  const cpu::WideGemm& gemm = cpu::wide_gemm();
  const std::int64_t row_blocks = (s.m + kRows - 1) / kRows, column_blocks = (s.n + kColumns - 1) / kColumns;
  const std::int64_t jobs = s.batch * row_blocks * column_blocks;
#pragma omp parallel if (jobs > 1 && s.m * s.k * s.n * s.batch > 65536)
  {
    std::vector<double> a, b, row, sums;
#pragma omp for schedule(dynamic)
    for (std::int64_t job = 0; job < jobs; ++job) {
      const std::int64_t batch = job / (row_blocks * column_blocks), rest = job % (row_blocks * column_blocks);
      const std::int64_t i0 = rest % row_blocks * kRows, rows = std::min(kRows, s.m - i0);
      const std::int64_t j0 = rest / row_blocks * kColumns, columns = std::min(kColumns, s.n - j0);
      const std::int64_t panels = (columns + gemm.panel - 1) / gemm.panel, width = panels * gemm.panel;
      a.resize(static_cast<std::size_t>(rows * kDepth));
      b.resize(static_cast<std::size_t>(kDepth * width));
      row.assign(static_cast<std::size_t>(width), 0.0);
      sums.assign(static_cast<std::size_t>(rows * width), 0.0);
      for (std::int64_t p0 = 0; p0 < s.k; p0 += kDepth) {
        const std::int64_t depth = std::min(kDepth, s.k - p0);
        for (std::int64_t p = 0; p < depth; ++p) {
          fill_b(batch, p0 + p, j0, columns, row.data());
          for (std::int64_t panel = 0; panel < panels; ++panel) {
            std::copy_n(row.data() + panel * gemm.panel, gemm.panel, b.data() + (panel * depth + p) * gemm.panel);
          }
        }
        for (std::int64_t i = 0; i < rows; ++i) fill_a(batch, i0 + i, p0, depth, a.data() + i * depth);
        for (std::int64_t panel = 0; panel < panels; ++panel) {
          gemm.accumulate(a.data(), depth, b.data() + panel * depth * gemm.panel, sums.data() + panel * gemm.panel, width, rows, depth);
        }
      }
      for (std::int64_t i = 0; i < rows; ++i) emit(batch, i0 + i, j0, columns, sums.data() + i * width);
    }
  }
}

}  // namespace fovea::ops
