// SPDX-License-Identifier: Apache-2.0
#include "backends/cpu/kit/simd_targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ops/detection/corner_pool_simd.cpp"
#include "hwy/foreach_target.h"
//
#include "hwy/highway.h"
#include "ops/detection/corner_pool.h"
#include "ops/detection/corner_pool_simd.h"

HWY_BEFORE_NAMESPACE();
namespace fovea::cpu::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

void corner_pool_larger(const float* a, const float* b, float* y, std::int64_t n) {
  const hn::ScalableTag<float> d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  std::int64_t i = 0;
  for (; i + lanes <= n; i += lanes) {
    const auto va = hn::LoadU(d, a + i), vb = hn::LoadU(d, b + i);
    hn::StoreU(hn::IfThenElse(hn::Or(hn::Gt(va, vb), hn::IsNaN(va)), va, vb), d, y + i);
  }
  for (; i < n; ++i) y[i] = ops::larger(a[i], b[i]);
}

}  // namespace fovea::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace fovea::cpu {

HWY_EXPORT(corner_pool_larger);

void larger_of(const float* a, const float* b, float* y, std::int64_t n) {
  HWY_DYNAMIC_DISPATCH(corner_pool_larger)(a, b, y, n);
}

}  // namespace fovea::cpu
#endif
