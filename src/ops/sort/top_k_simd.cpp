// SPDX-License-Identifier: Apache-2.0
#include "backends/cpu/kit/simd_targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ops/sort/top_k_simd.cpp"
#include "hwy/foreach_target.h"
//
#include "hwy/highway.h"
#include "ops/sort/top_k_simd.h"

HWY_BEFORE_NAMESPACE();
namespace fovea::cpu::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

std::int64_t top_k_scan(const float* x, std::int64_t n, float bar, bool largest, std::int64_t first,
                        std::uint64_t* keys) {
  const hn::ScalableTag<float> d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  const auto limit = hn::Set(d, bar);
  std::int64_t found = 0, i = 0;
  for (; i + lanes <= n; i += lanes) {
    const auto v = hn::LoadU(d, x + i);
    const auto worse = largest ? hn::Le(v, limit) : hn::Ge(v, limit);  // false for NaN, which is looked at later
    if (HWY_LIKELY(hn::AllTrue(d, worse))) continue;
    for (std::int64_t k = i; k < i + lanes; ++k) {
      if (!(largest ? x[k] <= bar : x[k] >= bar)) keys[found++] = top_k_key(x[k], largest, first + k);
    }
  }
  for (; i < n; ++i) {
    if (!(largest ? x[i] <= bar : x[i] >= bar)) keys[found++] = top_k_key(x[i], largest, first + i);
  }
  return found;
}

}  // namespace fovea::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace fovea::cpu {

HWY_EXPORT(top_k_scan);

std::int64_t top_k_better(const float* x, std::int64_t n, float bar, bool largest, std::int64_t first,
                          std::uint64_t* keys) {
  return HWY_DYNAMIC_DISPATCH(top_k_scan)(x, n, bar, largest, first, keys);
}

}  // namespace fovea::cpu
#endif
