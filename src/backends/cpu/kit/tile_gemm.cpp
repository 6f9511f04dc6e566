// SPDX-License-Identifier: Apache-2.0
// Six rows of c times a panel stay in registers while a block of k runs through. The block of b (at most 32 KiB) stays in
// the first-level cache for all rows; meanwhile the next block comes into the second-level cache, because a b that is
// larger than that (filters of many channels) would be waited for once a block.
#include "backends/cpu/kit/simd_targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "backends/cpu/kit/tile_gemm.cpp"
#include "hwy/foreach_target.h"
//
#include "backends/cpu/kit/tile_gemm.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace fovea::cpu::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;
constexpr hn::ScalableTag<float> kTag;
using VF = hn::Vec<hn::ScalableTag<float>>;

constexpr std::int64_t kLanes = hn::MaxLanes(kTag);
constexpr int kRows = 6;
/// 6 x 4 accumulators, 4 columns and a factor fit into 32 registers, 6 x 2 into 16.
constexpr int kVectors = HWY_TARGET <= HWY_AVX3 ? 4 : 2;
constexpr std::int64_t kPanel = kVectors * kLanes;
constexpr std::int64_t kDepth = 32 * 1024 / (kPanel * 4);
/// For so many steps of k one cache line is fetched: little beside their products, and the next block is there after
/// 16 times six rows.
constexpr std::int64_t kStep = 4, kLine = 16;

/// What is read next, to its last number: an address behind it might belong to no page, which is slow to find out.
struct Ahead {
  const float *at, *last;

  HWY_INLINE void fetch() {
    __builtin_prefetch(at, 0, 2);
    at = last - at > kLine ? at + kLine : last;
  }
};

/// c[R, V vectors] += a[R, k] * b[k, V vectors]; the last vector counts `last` columns.
template <int R, int V>
HWY_INLINE void accumulate_block(const float* HWY_RESTRICT a, std::int64_t lda, const float* HWY_RESTRICT b, float* HWY_RESTRICT c, std::int64_t ldc, std::int64_t k,
                                 std::int64_t last, Ahead& ahead) {
  VF sum[R][V];
#pragma GCC unroll 6
  for (int r = 0; r < R; ++r) {
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v) sum[r][v] = hn::Zero(kTag);
  }
  const auto step = [&](std::int64_t i) HWY_ATTR {
    VF column[V];
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v) column[v] = hn::LoadU(kTag, b + i * kPanel + v * kLanes);
#pragma GCC unroll 6
    for (int r = 0; r < R; ++r) {
      const VF factor = hn::Set(kTag, a[r * lda + i]);
#pragma GCC unroll 4
      for (int v = 0; v < V; ++v) sum[r][v] = hn::MulAdd(factor, column[v], sum[r][v]);
    }
  };
  std::int64_t done = 0;
  for (; done + kStep <= k; done += kStep) {
    ahead.fetch();
    for (std::int64_t i = 0; i < kStep; ++i) step(done + i);
  }
  for (; done < k; ++done) step(done);
#pragma GCC unroll 6
  for (int r = 0; r < R; ++r) {
    float* const row = c + r * ldc;
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v) {
      if (v < V - 1 || last == kLanes) {
        hn::StoreU(hn::Add(hn::LoadU(kTag, row + v * kLanes), sum[r][v]), kTag, row + v * kLanes);
      } else {
        HWY_ALIGN float part[kLanes];
        hn::Store(sum[r][v], kTag, part);
        for (std::int64_t i = 0; i < last; ++i) row[v * kLanes + i] += part[i];
      }
    }
  }
}

template <int V>
void accumulate_rows(const float* a, std::int64_t lda, const float* b, float* c, std::int64_t ldc, std::int64_t m, std::int64_t k, std::int64_t last,
                     Ahead ahead) {
  std::int64_t r = 0;
  for (; r + kRows <= m; r += kRows) accumulate_block<kRows, V>(a + r * lda, lda, b, c + r * ldc, ldc, k, last, ahead);
  a += r * lda;
  c += r * ldc;
  switch (m - r) {
    case 1: return accumulate_block<1, V>(a, lda, b, c, ldc, k, last, ahead);
    case 2: return accumulate_block<2, V>(a, lda, b, c, ldc, k, last, ahead);
    case 3: return accumulate_block<3, V>(a, lda, b, c, ldc, k, last, ahead);
    case 4: return accumulate_block<4, V>(a, lda, b, c, ldc, k, last, ahead);
    case 5: return accumulate_block<5, V>(a, lda, b, c, ldc, k, last, ahead);
    default: return;
  }
}

void accumulate(const float* a, std::int64_t lda, const float* b, float* c, std::int64_t ldc, std::int64_t m, std::int64_t n, std::int64_t k,
                std::span<const float> next) {
  const std::int64_t vectors = (n + kLanes - 1) / kLanes, last = n - (vectors - 1) * kLanes;
  for (std::int64_t i = 0; i < k; i += kDepth) {
    const std::int64_t depth = HWY_MIN(kDepth, k - i);
    const float *from = a + i, *panel = b + i * kPanel;
    const std::span<const float> after = i + depth < k ? std::span(panel + depth * kPanel, static_cast<std::size_t>((k - i - depth) * kPanel)) : next;
    const Ahead ahead = after.empty() ? Ahead{panel, panel} : Ahead{after.data(), after.data() + HWY_MIN(after.size(), static_cast<std::size_t>(kDepth * kPanel)) - 1};
    if (vectors == 1) accumulate_rows<1>(from, lda, panel, c, ldc, m, depth, last, ahead);
    if (vectors == 2) accumulate_rows<2>(from, lda, panel, c, ldc, m, depth, last, ahead);
    if constexpr (kVectors == 4) {
      if (vectors == 3) accumulate_rows<3>(from, lda, panel, c, ldc, m, depth, last, ahead);
      if (vectors == 4) accumulate_rows<4>(from, lda, panel, c, ldc, m, depth, last, ahead);
    }
  }
}

}  // namespace

const TileGemm* tile_gemm_table() {
  static const TileGemm table = {kPanel, kRows, accumulate};
  return &table;
}

}  // namespace fovea::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace fovea::cpu {

HWY_EXPORT(tile_gemm_table);

const TileGemm& tile_gemm() { return *HWY_DYNAMIC_DISPATCH(tile_gemm_table)(); }

}  // namespace fovea::cpu
#endif
