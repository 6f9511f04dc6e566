// SPDX-License-Identifier: Apache-2.0
#include "backends/cpu/kit/simd_targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ops/attention/running_softmax_simd.cpp"
#include "hwy/foreach_target.h"
//
#include <cmath>
#include <limits>

#include "backends/cpu/kit/simd_math-inl.h"
#include "hwy/highway.h"
#include "ops/attention/running_softmax.h"

HWY_BEFORE_NAMESPACE();
namespace fovea::cpu::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;
using F32 = hn::ScalableTag<float>;

void scale_row(float* x, float factor, std::int64_t n) {
  for (std::int64_t i = 0; i < n; ++i) x[i] *= factor;
}

void soften(const SoftmaxRows& rows, float* scores, std::int64_t step, std::int64_t columns) {
  constexpr float kMinusInfinity = -std::numeric_limits<float>::infinity(), kSlack = 8;
  const F32 d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  for (std::int64_t r = 0; r < rows.rows; ++r) {
    float* const row = scores + r * step;
    float *const shift = rows.shifts + r, *const sums = rows.sums + r * kRowSums;
    auto largest = hn::Set(d, kMinusInfinity);
    for (std::int64_t i = 0; i < columns; i += lanes) largest = hn::Max(largest, hn::LoadU(d, row + i));
    if (!hn::AllTrue(d, hn::Le(largest, hn::Set(d, *shift + kSlack)))) {
      const float now = hn::GetLane(hn::MaxOfLanes(d, largest));
      const float fading = *shift == kMinusInfinity ? 0 : std::exp(*shift - now);
      scale_row(sums, fading, kRowSums);
      scale_row(rows.results + r * rows.width, fading, rows.width);
      *shift = now;
    }
    // While all scores so far are -infinity there is nothing to count from.
    const auto base = hn::Set(d, *shift == kMinusInfinity ? 0 : *shift);
    auto sum = hn::LoadU(d, sums);
    for (std::int64_t i = 0; i < columns; i += lanes) {
      const auto weight = exp_bounded_f32(d, hn::Sub(hn::LoadU(d, row + i), base));
      hn::StoreU(weight, d, row + i);
      sum = hn::Add(sum, weight);
    }
    hn::StoreU(sum, d, sums);
  }
}

SoftenScores find_soften() { return soften; }

}  // namespace fovea::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace fovea::cpu {

HWY_EXPORT(find_soften);

SoftenScores soften_scores() { return HWY_DYNAMIC_DISPATCH(find_soften)(); }

}  // namespace fovea::cpu
#endif
