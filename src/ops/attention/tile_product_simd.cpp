// SPDX-License-Identifier: Apache-2.0
// c += a b with a block of c in registers: six rows by two vectors; where there are 32 registers six by four, or twelve by
// two for a c of two vectors, so that c itself is read and written half as often for the same work.
#include "backends/cpu/kit/simd_targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ops/attention/tile_product_simd.cpp"
#include "hwy/foreach_target.h"
//
#include "hwy/highway.h"
#include "ops/attention/tile_product.h"

HWY_BEFORE_NAMESPACE();
namespace fovea::cpu::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;
using F32 = hn::ScalableTag<float>;

template <int kRows, int kVectors>
HWY_INLINE void block(const float* a, std::int64_t a_step, const float* b, std::int64_t b_step, float* c, std::int64_t c_step, std::int64_t k, bool adds) {
  const F32 d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  hn::Vec<F32> sum[kRows][kVectors];
#pragma GCC unroll 12
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) sum[r][v] = adds ? hn::LoadU(d, c + r * c_step + v * lanes) : hn::Zero(d);
  }
  for (std::int64_t i = 0; i < k; ++i) {
    hn::Vec<F32> right[kVectors];
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) right[v] = hn::LoadU(d, b + i * b_step + v * lanes);
#pragma GCC unroll 12
    for (int r = 0; r < kRows; ++r) {
      const auto left = hn::Set(d, a[r * a_step + i]);
#pragma GCC unroll 4
      for (int v = 0; v < kVectors; ++v) sum[r][v] = hn::MulAdd(left, right[v], sum[r][v]);
    }
  }
#pragma GCC unroll 12
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) hn::StoreU(sum[r][v], d, c + r * c_step + v * lanes);
  }
}

template <int kRows>
HWY_INLINE void stripe(const float* a, std::int64_t a_step, const float* b, std::int64_t b_step, float* c, std::int64_t c_step, std::int64_t k, std::int64_t n, bool adds) {
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(F32()));
  std::int64_t j = 0;
  if constexpr (HWY_TARGET <= HWY_AVX3) {
    for (; j + 4 * lanes <= n; j += 4 * lanes) block<kRows, 4>(a, a_step, b + j, b_step, c + j, c_step, k, adds);
  }
  for (; j + 2 * lanes <= n; j += 2 * lanes) block<kRows, 2>(a, a_step, b + j, b_step, c + j, c_step, k, adds);
  for (; j + lanes <= n; j += lanes) block<kRows, 1>(a, a_step, b + j, b_step, c + j, c_step, k, adds);
}

void product(const float* a, std::int64_t a_step, const float* b, std::int64_t b_step, float* c, std::int64_t c_step, std::int64_t rows, std::int64_t k,
             std::int64_t n, bool adds) {
  std::int64_t r = 0;
  if constexpr (HWY_TARGET <= HWY_AVX3) {
    if (n == 2 * static_cast<std::int64_t>(hn::Lanes(F32()))) {
      for (; r + 12 <= rows; r += 12) block<12, 2>(a + r * a_step, a_step, b, b_step, c + r * c_step, c_step, k, adds);
    }
  }
  for (; r + 6 <= rows; r += 6) stripe<6>(a + r * a_step, a_step, b, b_step, c + r * c_step, c_step, k, n, adds);
  for (; r + 2 <= rows; r += 2) stripe<2>(a + r * a_step, a_step, b, b_step, c + r * c_step, c_step, k, n, adds);
  if (r < rows) stripe<1>(a + r * a_step, a_step, b, b_step, c + r * c_step, c_step, k, n, adds);
}

TileProduct find_product() { return product; }

}  // namespace fovea::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace fovea::cpu {

HWY_EXPORT(find_product);

TileProduct tile_product() { return HWY_DYNAMIC_DISPATCH(find_product)(); }

}  // namespace fovea::cpu
#endif
