// SPDX-License-Identifier: Apache-2.0
// Six rows of c times a panel stay in registers while k runs through.
#include "backends/cpu/kit/simd_targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "backends/cpu/kit/wide_gemm.cpp"
#include "hwy/foreach_target.h"
//
#include "backends/cpu/kit/wide_gemm.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace fovea::cpu::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;
constexpr hn::ScalableTag<double> kTag;
using VD = hn::Vec<hn::ScalableTag<double>>;

constexpr std::int64_t kLanes = hn::MaxLanes(kTag);
constexpr int kRows = 6;
/// 6 x 4 accumulators, 4 columns and a factor fit into 32 registers, 6 x 2 into 16.
constexpr int kVectors = HWY_TARGET <= HWY_AVX3 ? 4 : 2;
constexpr std::int64_t kPanel = kVectors * kLanes;

template <int R>
HWY_INLINE void accumulate_rows(const double* HWY_RESTRICT a, std::int64_t lda, const double* HWY_RESTRICT b, double* HWY_RESTRICT c, std::int64_t ldc, std::int64_t k) {
  VD sum[R][kVectors];
#pragma GCC unroll 6
  for (int r = 0; r < R; ++r) {
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) sum[r][v] = hn::LoadU(kTag, c + r * ldc + v * kLanes);
  }
  for (std::int64_t i = 0; i < k; ++i) {
    VD column[kVectors];
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) column[v] = hn::LoadU(kTag, b + i * kPanel + v * kLanes);
#pragma GCC unroll 6
    for (int r = 0; r < R; ++r) {
      const VD factor = hn::Set(kTag, a[r * lda + i]);
#pragma GCC unroll 4
      for (int v = 0; v < kVectors; ++v) sum[r][v] = hn::MulAdd(factor, column[v], sum[r][v]);
    }
  }
#pragma GCC unroll 6
  for (int r = 0; r < R; ++r) {
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) hn::StoreU(sum[r][v], kTag, c + r * ldc + v * kLanes);
  }
}

void accumulate(const double* a, std::int64_t lda, const double* b, double* c, std::int64_t ldc, std::int64_t m, std::int64_t k) {
  std::int64_t r = 0;
  for (; r + kRows <= m; r += kRows) accumulate_rows<kRows>(a + r * lda, lda, b, c + r * ldc, ldc, k);
  for (; r < m; ++r) accumulate_rows<1>(a + r * lda, lda, b, c + r * ldc, ldc, k);
}

}  // namespace

const WideGemm* wide_gemm_table() {
  static const WideGemm table = {kPanel, kRows, accumulate};
  return &table;
}

}  // namespace fovea::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace fovea::cpu {

HWY_EXPORT(wide_gemm_table);

const WideGemm& wide_gemm() { return *HWY_DYNAMIC_DISPATCH(wide_gemm_table)(); }

}  // namespace fovea::cpu
#endif
