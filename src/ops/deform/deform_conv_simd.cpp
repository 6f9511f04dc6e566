// SPDX-License-Identifier: Apache-2.0
#include "backends/cpu/kit/simd_targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ops/deform/deform_conv_simd.cpp"
#include "hwy/foreach_target.h"
//
#include "hwy/highway.h"
#include "ops/deform/deform_conv_simd.h"

HWY_BEFORE_NAMESPACE();
namespace fovea::ops::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;
using F32 = hn::ScalableTag<float>;
using I32 = hn::RebindToSigned<F32>;
constexpr F32 kF32;
constexpr I32 kI32;
using VF = hn::Vec<F32>;
using VI = hn::Vec<I32>;
constexpr std::int64_t kLanes = hn::MaxLanes(kF32);

/// An offset as whole elements and the rest; what is not finite or far away is no element of any plane.
struct Split {
  VI whole;
  VF rest;
  hn::Mask<F32> usable;
};
HWY_INLINE Split split(VF offset) {
  const VF limit = hn::Set(kF32, 0x1p29f);
  const auto usable = hn::Lt(hn::Abs(offset), limit);  // false for NaN
  const VF value = hn::IfThenElseZero(usable, offset), floor = hn::Floor(value);
  return {hn::ConvertTo(kI32, floor), hn::Sub(value, floor), usable};
}

HWY_INLINE auto between(VI v, std::int32_t extent) { return hn::And(hn::Gt(v, hn::Set(kI32, -1)), hn::Lt(v, hn::Set(kI32, extent))); }

void find_corners(const SamplePlane& plane, const SamplePoints& points, SampleCorners& corners) {
  const VF one = hn::Set(kF32, 1.0f), zero = hn::Zero(kF32);
  const VI next = hn::Set(kI32, 1), nothing = hn::Set(kI32, -1);
  for (std::int64_t s = 0; s < kSamples; s += kLanes) {
    const Split y = split(hn::LoadU(kF32, points.offset_y + s)), x = split(hn::LoadU(kF32, points.offset_x + s));
    const VF ly = y.rest, lx = x.rest, ry = hn::Sub(one, ly), rx = hn::Sub(one, lx);
    const VI top = hn::Add(hn::Add(hn::LoadU(kI32, points.base_y + s), hn::Set(kI32, points.tap_y)), y.whole);
    const VI left = hn::Add(hn::Add(hn::LoadU(kI32, points.base_x + s), hn::Set(kI32, points.tap_x)), x.whole);
    const VI bottom = hn::Add(top, next), right = hn::Add(left, next);
    const auto usable = hn::RebindMask(kI32, hn::And(y.usable, x.usable));
    const auto in_top = hn::And(usable, between(top, plane.height)), in_bottom = hn::And(usable, between(bottom, plane.height));
    const auto in_left = between(left, plane.width), in_right = between(right, plane.width);
    const VI first = hn::Add(hn::Mul(top, hn::Set(kI32, plane.row)), hn::Mul(left, hn::Set(kI32, plane.column)));
    const VI below = hn::Add(first, hn::Set(kI32, plane.row)), step = hn::Set(kI32, plane.column);
    const VF mask = points.mask ? hn::LoadU(kF32, points.mask + s) : one;
    const auto store = [&](int c, hn::Mask<I32> inside, VF weight, VI place) HWY_ATTR {
      const auto counts = hn::And(hn::RebindMask(kF32, inside), hn::Gt(weight, zero));
      hn::StoreU(hn::IfThenElse(hn::RebindMask(kI32, counts), place, nothing), kI32, corners.place[c] + s);
      hn::StoreU(hn::Mul(hn::IfThenElseZero(counts, weight), mask), kF32, corners.weight[c] + s);
    };
    store(0, hn::And(in_top, in_left), hn::Mul(ry, rx), first);
    store(1, hn::And(in_top, in_right), hn::Mul(ry, lx), hn::Add(first, step));
    store(2, hn::And(in_bottom, in_left), hn::Mul(ly, rx), below);
    store(3, hn::And(in_bottom, in_right), hn::Mul(ly, lx), hn::Add(below, step));
  }
}

void sample_pixels(const SampleCorners& corners, std::int64_t count, const float* x, std::int64_t channels, const float* zeros, float* y, std::int64_t stride) {
  for (std::int64_t s = 0; s < count; ++s, y += stride) {
    const float* from[4];
    VF weight[4];
    for (int c = 0; c < 4; ++c) {
      from[c] = corners.place[c][s] < 0 ? zeros : x + corners.place[c][s];
      weight[c] = hn::Set(kF32, corners.weight[c][s]);
    }
    std::int64_t i = 0;
    for (; i + kLanes <= channels; i += kLanes) {
      const VF upper = hn::MulAdd(weight[1], hn::LoadU(kF32, from[1] + i), hn::Mul(weight[0], hn::LoadU(kF32, from[0] + i)));
      const VF lower = hn::MulAdd(weight[3], hn::LoadU(kF32, from[3] + i), hn::Mul(weight[2], hn::LoadU(kF32, from[2] + i)));
      hn::StoreU(hn::Add(upper, lower), kF32, y + i);
    }
    for (; i < channels; ++i) {
      float sum = 0;
      for (int c = 0; c < 4; ++c) sum += corners.weight[c][s] * from[c][i];
      y[i] = sum;
    }
  }
}

void sample_plane(const SampleCorners& corners, const float* x, std::int64_t width, float* y) {
  for (std::int64_t s = 0; s < width; s += kLanes) {
    VF sum = hn::Zero(kF32);
    for (int c = 0; c < 4; ++c) {
      const VI place = hn::LoadU(kI32, corners.place[c] + s);
      const auto counts = hn::Gt(place, hn::Set(kI32, -1));
      const VF element = hn::GatherIndex(kF32, x, hn::IfThenElseZero(counts, place));
      sum = hn::MulAdd(hn::LoadU(kF32, corners.weight[c] + s), hn::IfThenElseZero(hn::RebindMask(kF32, counts), element), sum);
    }
    hn::StoreU(sum, kF32, y + s);
  }
}

}  // namespace

const DeformConvLoops* deform_conv_table() {
  static const DeformConvLoops table = {find_corners, sample_pixels, sample_plane};
  return &table;
}

}  // namespace fovea::ops::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace fovea::ops {

HWY_EXPORT(deform_conv_table);

const DeformConvLoops& deform_conv_loops() { return *HWY_DYNAMIC_DISPATCH(deform_conv_table)(); }

}  // namespace fovea::ops
#endif
