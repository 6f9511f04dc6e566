// SPDX-License-Identifier: Apache-2.0
// The taps of GridSample along one axis for a vector of points. At ties of nearest the last bit of a position decides, so
// positions take the same roundings as in grid_position(): files with this are compiled without contraction of products
// and sums.
#if defined(FOVEA_GRID_SAMPLE_AXIS_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef FOVEA_GRID_SAMPLE_AXIS_INL
#undef FOVEA_GRID_SAMPLE_AXIS_INL
#else
#define FOVEA_GRID_SAMPLE_AXIS_INL
#endif

#include "hwy/highway.h"
#include "ops/deform/grid_sample_tile.h"

HWY_BEFORE_NAMESPACE();
namespace fovea::cpu::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;
using F32 = hn::ScalableTag<float>;
using I32 = hn::RebindToSigned<F32>;
using VF = hn::Vec<F32>;
using VI = hn::Vec<I32>;
using ops::GridSampleParams;
using ops::SampleMode;
using ops::SamplePadding;

/// Padding along one axis.
struct Axis {
  VF last, low, high, span;  // index of the last element; where reflection turns
  bool is_point;             // reflection has no room

  Axis(const GridSampleParams& params, std::int64_t extent) {
    const F32 d;
    const auto end = static_cast<float>(extent - 1), margin = params.align_corners ? 0.0f : 0.5f;
    last = hn::Set(d, end);
    low = hn::Set(d, -margin);
    high = hn::Set(d, end + margin);
    span = hn::Set(d, end + 2 * margin);
    is_point = end + 2 * margin <= 0;
  }

  VF clamped(VF x) const { return hn::Min(hn::Max(x, hn::Zero(F32())), last); }

  /// Distances are taken from the border that x is beyond, and so are exact.
  HWY_INLINE VF reflected(VF x) const {
    const F32 d;
    if (is_point) return hn::Zero(d);
    const auto is_below = hn::Lt(x, low);
    const auto distance = hn::Abs(hn::Sub(x, hn::IfThenElse(is_below, low, high)));
    auto turns = hn::Floor(hn::Div(distance, span));
    auto rest = hn::NegMulAdd(turns, span, distance);
    const auto too_far = hn::Lt(rest, hn::Zero(d));  // the quotient was rounded up to a whole number
    turns = hn::IfThenElse(too_far, hn::Sub(turns, hn::Set(d, 1.0f)), turns);
    rest = hn::IfThenElse(too_far, hn::Add(rest, span), rest);
    const auto half = hn::Mul(turns, hn::Set(d, 0.5f));
    const auto is_even = hn::Eq(half, hn::Floor(half));
    // Below, an even number of turns counts upwards from `low`; above, downwards from `high`.
    return hn::IfThenElse(hn::Xor(is_below, is_even), hn::Sub(high, rest), hn::Add(low, rest));
  }

  /// No element is there; is_outside() allows for the margin.
  hn::Mask<F32> is_beyond(VF x) const { return hn::Or(hn::Lt(x, hn::Zero(F32())), hn::Gt(x, last)); }
  hn::Mask<F32> is_outside(VF x) const { return hn::Or(hn::Lt(x, low), hn::Gt(x, high)); }
};

/// grid_position(), rounding for rounding; halving is exact.
HWY_INLINE VF position_of(VF coordinate, std::int64_t extent, bool align_corners) {
  const F32 d;
  const auto one = hn::Set(d, 1.0f), half = hn::Set(d, 0.5f), n = hn::Set(d, static_cast<float>(extent));
  const auto shifted = hn::Add(coordinate, one);
  return align_corners ? hn::Mul(hn::Mul(shifted, half), hn::Sub(n, one)) : hn::Mul(hn::Sub(hn::Mul(shifted, n), one), half);
}

/// Where a position is sampled: nearest rounds it, and outside the border padding may bring it inside. The cubic filter stays
/// where it is; its taps come inside one by one.
HWY_INLINE VF placed(const Axis& axis, SampleMode mode, SamplePadding padding, VF position) {
  if (mode == SampleMode::Nearest) position = hn::Round(position);
  if (padding == SamplePadding::Zeros || mode == SampleMode::Cubic) return position;
  const auto is_outside = axis.is_outside(position);
  if (padding == SamplePadding::Border) return hn::IfThenElse(is_outside, axis.clamped(position), position);
  return hn::AllFalse(F32(), is_outside) ? position : hn::IfThenElse(is_outside, axis.reflected(position), position);
}

struct Tap {
  VI index;
  VF weight;
};

/// The tap at the whole position `at`, which padding may move or drop.
HWY_INLINE Tap tap_at(const Axis& axis, SamplePadding padding, VF at, VF weight) {
  const F32 d;
  const auto inside = axis.clamped(at);
  const auto is_outside = hn::Ne(inside, at);
  if (padding == SamplePadding::Zeros) weight = hn::IfThenZeroElse(is_outside, weight);
  if (padding == SamplePadding::Reflection && !hn::AllFalse(d, is_outside)) {
    at = hn::IfThenElse(is_outside, hn::Floor(axis.reflected(at)), at);
    at = axis.clamped(at);
  } else {
    at = inside;
  }
  return {hn::ConvertTo(I32(), at), weight};
}

/// Two taps, the second at the right neighbour of the first.
struct TapPair {
  VI first;
  VF weight0, weight1;
};

/// The taps of linear as a pair, where there is room for two; at borders both may be the same element.
HWY_INLINE TapPair pair_of(std::int64_t extent, Tap a, Tap b) {
  const F32 d;
  const auto first = hn::Min(hn::Min(a.index, b.index), hn::Set(I32(), static_cast<std::int32_t>(extent - 2)));
  const auto is_a = hn::RebindMask(d, hn::Eq(a.index, first)), is_b = hn::RebindMask(d, hn::Eq(b.index, first));
  return {first, hn::Add(hn::IfThenElseZero(is_a, a.weight), hn::IfThenElseZero(is_b, b.weight)),
          hn::Add(hn::IfThenZeroElse(is_a, a.weight), hn::IfThenZeroElse(is_b, b.weight))};
}

/// sum + weight * value; a weight of 0 does not count, whatever the value is.
HWY_INLINE VF add_tap(VF sum, VF weight, VF value) {
  return hn::MulAdd(weight, hn::IfThenElseZero(hn::Ne(weight, hn::Zero(F32())), value), sum);
}

/// Gathers elements together with their right neighbours; prepared once for the channels of a picture.
#if HWY_TARGET == HWY_SCALAR
struct PairGather {
  VI offsets;

  HWY_INLINE explicit PairGather(VI from) : offsets(from) {}
  HWY_INLINE void gather(const float* plane, VF& left, VF& right) const {
    left = hn::GatherIndex(F32(), plane, offsets);
    right = hn::GatherIndex(F32(), plane + 1, offsets);
  }
};
#else
struct PairGather {
  using Pairs = hn::Repartition<double, F32>;
  using Wide = hn::Repartition<std::int64_t, F32>;
  hn::Vec<Wide> low, high;  // distances in bytes

  HWY_INLINE explicit PairGather(VI from) {
    const hn::Rebind<std::int32_t, Wide> half;
    low = hn::ShiftLeft<2>(hn::PromoteTo(Wide(), hn::LowerHalf(half, from)));
    high = hn::ShiftLeft<2>(hn::PromoteTo(Wide(), hn::UpperHalf(half, from)));
  }
  HWY_INLINE void gather(const float* plane, VF& left, VF& right) const {
    const F32 d;
    const auto* pairs = reinterpret_cast<const double*>(plane);
    const auto a = hn::BitCast(d, hn::GatherOffset(Pairs(), pairs, low)), b = hn::BitCast(d, hn::GatherOffset(Pairs(), pairs, high));
    left = hn::ConcatEven(d, b, a);
    right = hn::ConcatOdd(d, b, a);
  }
};
#endif

}  // namespace fovea::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
