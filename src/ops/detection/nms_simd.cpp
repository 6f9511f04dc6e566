// SPDX-License-Identifier: Apache-2.0
// Built with -ffp-contract=off: a fused multiply-add in the union would decide ties otherwise than the plain version.
#include "backends/cpu/kit/simd_targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ops/detection/nms_simd.cpp"
#include "hwy/foreach_target.h"
//
#include <bit>

#include "hwy/highway.h"
#include "ops/detection/nms.h"
#include "ops/detection/nms_simd.h"

HWY_BEFORE_NAMESPACE();
namespace fovea::cpu::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;
using F32 = hn::ScalableTag<float>;
constexpr F32 kF32;

HWY_INLINE std::uint64_t rank_key(float score, std::int64_t index) {
  const auto bits = std::bit_cast<std::uint32_t>(score + 0.0f);  // -0 ties with 0
  const std::uint32_t falling = bits >> 31 ? bits : ~bits & 0x7fffffffu;
  return std::uint64_t{falling} << 32 | static_cast<std::uint32_t>(index);
}

std::int64_t nms_candidates(const float* scores, std::int64_t count, const float* above, std::uint64_t* keys) {
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(kF32));
  const auto threshold = hn::Set(kF32, above ? *above : 0.0f);
  std::int64_t found = 0, i = 0;
  for (; i + lanes <= count; i += lanes) {
    const auto score = hn::LoadU(kF32, scores + i);
    const auto wanted = above ? hn::Gt(score, threshold) : hn::Eq(score, score);
    if (hn::AllFalse(kF32, wanted)) continue;
    std::uint8_t bytes[8] = {};
    hn::StoreMaskBits(kF32, wanted, bytes);
    std::uint32_t bits = static_cast<std::uint32_t>(bytes[0] | bytes[1] << 8 | bytes[2] << 16) |
                         static_cast<std::uint32_t>(bytes[3]) << 24;
    for (; bits != 0; bits &= bits - 1) {
      const std::int64_t at = i + std::countr_zero(bits);
      keys[found++] = rank_key(scores[at], at);
    }
  }
  for (; i < count; ++i) {
    if (above ? scores[i] > *above : scores[i] == scores[i]) keys[found++] = rank_key(scores[i], i);
  }
  return found;
}

bool nms_hidden(const KeptBoxes& kept, std::int64_t size, const ops::Box& box, float area, float offset,
                float threshold) {
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(kF32));
  const auto x1 = hn::Set(kF32, box.x1), y1 = hn::Set(kF32, box.y1), x2 = hn::Set(kF32, box.x2),
             y2 = hn::Set(kF32, box.y2);
  const auto zero = hn::Zero(kF32), edge = hn::Set(kF32, offset), own = hn::Set(kF32, area),
             limit = hn::Set(kF32, threshold);
  for (std::int64_t i = 0; i < size; i += lanes) {
    const auto width =
        hn::Add(hn::Sub(hn::Min(hn::LoadU(kF32, kept.x2 + i), x2), hn::Max(hn::LoadU(kF32, kept.x1 + i), x1)), edge);
    const auto height =
        hn::Add(hn::Sub(hn::Min(hn::LoadU(kF32, kept.y2 + i), y2), hn::Max(hn::LoadU(kF32, kept.y1 + i), y1)), edge);
    const auto meet = hn::And(hn::Gt(width, zero), hn::Gt(height, zero));
    if (HWY_LIKELY(hn::AllFalse(kF32, meet))) continue;
    const auto other = hn::LoadU(kF32, kept.area + i);
    const auto intersection = hn::Mul(width, height), total = hn::Sub(hn::Add(other, own), intersection);
    const auto counts = hn::And(meet, hn::And(hn::Gt(other, zero), hn::Gt(total, zero)));
    if (!hn::AllFalse(kF32, hn::And(counts, hn::Gt(hn::Div(intersection, total), limit)))) return true;
  }
  return false;
}

const NmsFunctions* nms_table() {
  static const NmsFunctions table = {nms_candidates, nms_hidden};
  return &table;
}

}  // namespace fovea::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace fovea::cpu {

HWY_EXPORT(nms_table);

const NmsFunctions& nms_functions() { return *HWY_DYNAMIC_DISPATCH(nms_table)(); }

}  // namespace fovea::cpu
#endif
