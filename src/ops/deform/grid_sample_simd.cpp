// SPDX-License-Identifier: Apache-2.0
// GridSample as Highway loops. At ties of nearest the last bit of a position decides, so positions take the same roundings
// as in grid_position(): this file is compiled without contraction of products and sums.
#include "backends/cpu/kit/simd_targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ops/deform/grid_sample_simd.cpp"
#include "hwy/foreach_target.h"
//
#include <algorithm>

#include "hwy/highway.h"
#include "ops/deform/channel_sums-inl.h"
#include "ops/deform/grid_sample_tile.h"

HWY_BEFORE_NAMESPACE();
namespace fovea::cpu::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;
using F32 = hn::ScalableTag<float>;
using I32 = hn::RebindToSigned<F32>;
using VF = hn::Vec<F32>;
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

  hn::Mask<F32> is_outside(VF x) const { return hn::Or(hn::Lt(x, low), hn::Gt(x, high)); }
};

/// Stores the tap at the whole position `at`, which padding may move or drop.
HWY_INLINE void put_tap(const Axis& axis, SamplePadding padding, VF at, VF weight, std::int32_t* index, float* weights) {
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
  hn::Store(hn::ConvertTo(I32(), at), I32(), index);
  hn::Store(weight, d, weights);
}

/// The cubic filter at a distance of at most 1, and between 1 and 2.
HWY_INLINE VF cubic_near(VF x) {
  const F32 d;
  const auto p = hn::MulSub(hn::Set(d, 1.25f), x, hn::Set(d, 2.25f));
  return hn::MulAdd(hn::Mul(p, x), x, hn::Set(d, 1.0f));
}
HWY_INLINE VF cubic_far(VF x) {
  const F32 d;
  auto p = hn::MulAdd(hn::Set(d, -0.75f), x, hn::Set(d, 3.75f));
  p = hn::MulAdd(p, x, hn::Set(d, -6.0f));
  return hn::MulAdd(p, x, hn::Set(d, 3.0f));
}

void split_coordinates(const float* points, int axes, AxisBlock* blocks) {
  const F32 d;
  VF x, y, z;
  for (int i = 0; i < kPointBlock; i += static_cast<int>(hn::Lanes(d))) {
    switch (axes) {
      case 1: hn::Store(hn::LoadU(d, points + i), d, blocks[0].coordinate + i); break;
      case 2:
        hn::LoadInterleaved2(d, points + 2 * i, x, y);
        hn::Store(x, d, blocks[1].coordinate + i);
        hn::Store(y, d, blocks[0].coordinate + i);
        break;
      default:
        hn::LoadInterleaved3(d, points + 3 * i, x, y, z);
        hn::Store(x, d, blocks[2].coordinate + i);
        hn::Store(y, d, blocks[1].coordinate + i);
        hn::Store(z, d, blocks[0].coordinate + i);
    }
  }
}

/// grid_position(), rounding for rounding; halving is exact.
HWY_INLINE VF position_of(VF coordinate, std::int64_t extent, bool align_corners) {
  const F32 d;
  const auto one = hn::Set(d, 1.0f), half = hn::Set(d, 0.5f), n = hn::Set(d, static_cast<float>(extent));
  const auto shifted = hn::Add(coordinate, one);
  return align_corners ? hn::Mul(hn::Mul(shifted, half), hn::Sub(n, one)) : hn::Mul(hn::Sub(hn::Mul(shifted, n), one), half);
}

/// The two taps of linear as a place and its right neighbour; at borders both may be the same element.
HWY_INLINE void make_pair(std::int64_t extent, std::int32_t* const index[2], float* const weight[2]) {
  const F32 d;
  const I32 di;
  const auto i0 = hn::Load(di, index[0]), i1 = hn::Load(di, index[1]);
  const auto w0 = hn::Load(d, weight[0]), w1 = hn::Load(d, weight[1]);
  const auto first = hn::Min(hn::Min(i0, i1), hn::Set(di, static_cast<std::int32_t>(extent - 2)));
  const auto is_first0 = hn::RebindMask(d, hn::Eq(i0, first)), is_first1 = hn::RebindMask(d, hn::Eq(i1, first));
  hn::Store(hn::Add(hn::IfThenElseZero(is_first0, w0), hn::IfThenElseZero(is_first1, w1)), d, weight[0]);
  hn::Store(hn::Add(hn::IfThenZeroElse(is_first0, w0), hn::IfThenZeroElse(is_first1, w1)), d, weight[1]);
  hn::Store(first, di, index[0]);
  hn::Store(hn::Add(first, hn::Set(di, 1)), di, index[1]);
}

bool find_axis_taps(const GridSampleParams& params, std::int64_t extent, AxisBlock& block) {
  const F32 d;
  const Axis axis(params, extent);
  const auto one = hn::Set(d, 1.0f);
  bool all_near = true;
  for (int i = 0; i < kPointBlock; i += static_cast<int>(hn::Lanes(d))) {
    auto position = position_of(hn::Load(d, block.coordinate + i), extent, params.align_corners);
    const auto is_near = hn::Lt(hn::Abs(position), hn::Set(d, kFarPosition));
    all_near = all_near && hn::AllTrue(d, is_near);
    position = hn::IfThenElseZero(is_near, position);
    if (params.mode == SampleMode::Nearest) position = hn::Round(position);
    if (params.padding != SamplePadding::Zeros && params.mode != SampleMode::Cubic) {
      const auto is_outside = axis.is_outside(position);
      const auto inside = params.padding == SamplePadding::Border ? axis.clamped(position) : axis.reflected(position);
      position = hn::IfThenElse(is_outside, inside, position);
    }
    const auto first = hn::Floor(position), t = hn::Sub(position, first), rest = hn::Sub(one, t);
    const auto put = [&](int tap, auto at, auto weight) HWY_ATTR { put_tap(axis, params.padding, at, weight, block.index[tap] + i, block.weight[tap] + i); };
    switch (params.mode) {
      case SampleMode::Nearest: put(0, first, one); break;
      case SampleMode::Linear:
        put(0, first, rest);
        put(1, hn::Add(first, one), t);
        if (extent >= 2) {
          std::int32_t* const index[2] = {block.index[0] + i, block.index[1] + i};
          float* const weight[2] = {block.weight[0] + i, block.weight[1] + i};
          make_pair(extent, index, weight);
        }
        break;
      case SampleMode::Cubic:
        put(0, hn::Sub(first, one), cubic_far(hn::Add(one, t)));
        put(1, first, cubic_near(t));
        put(2, hn::Add(first, one), cubic_near(rest));
        put(3, hn::Add(first, hn::Set(d, 2.0f)), cubic_far(hn::Add(one, rest)));
        break;
    }
  }
  return all_near;
}

void multiply_axes(const AxisBlock* axes, int count, int per_axis, const std::int64_t* strides, TapBlock& taps) {
  const F32 d;
  const I32 di;
  int total = 1;
  for (int a = 0; a < count; ++a) total *= per_axis;
  for (int tap = 0; tap < total; ++tap) {
    // The tap's number in base per_axis; the last axis counts fastest.
    int digit[kMaxSampleAxes];
    for (int a = count - 1, rest = tap; a >= 0; --a, rest /= per_axis) digit[a] = rest % per_axis;
    for (int i = 0; i < kPointBlock; i += static_cast<int>(hn::Lanes(d))) {
      auto weight = hn::Load(d, axes[0].weight[digit[0]] + i);
      auto offset = hn::Mul(hn::Load(di, axes[0].index[digit[0]] + i), hn::Set(di, static_cast<std::int32_t>(strides[0])));
      for (int a = 1; a < count; ++a) {
        weight = hn::Mul(weight, hn::Load(d, axes[a].weight[digit[a]] + i));
        offset = hn::Add(offset, hn::Mul(hn::Load(di, axes[a].index[digit[a]] + i), hn::Set(di, static_cast<std::int32_t>(strides[a]))));
      }
      hn::Store(weight, d, taps.weight[tap] + i);
      hn::Store(offset, di, taps.offset[tap] + i);
    }
  }
}

/// Stores sum(i) for each vector of points; the last may be cut off.
template <class Sum>
HWY_INLINE void for_each_vector(float* y, int points, const Sum& sum) {
  const F32 d;
  const int lanes = static_cast<int>(hn::Lanes(d));
  int i = 0;
  for (; i + lanes <= points; i += lanes) hn::StoreU(sum(i), d, y + i);
  if (i == points) return;
  HWY_ALIGN float last[hn::MaxLanes(d)];
  hn::Store(sum(i), d, last);
  std::copy_n(last, points - i, y + i);
}

/// sum + weight * value; a weight of 0 does not count, whatever the value is.
HWY_INLINE VF add_tap(VF sum, VF weight, VF value) {
  const F32 d;
  return hn::MulAdd(weight, hn::IfThenElseZero(hn::Ne(weight, hn::Zero(d)), value), sum);
}

void gather_plane(const TapBlock& taps, int count, const float* plane, float* y, int points) {
  const F32 d;
  const I32 di;
  for_each_vector(y, points, [&](int i) HWY_ATTR {
    auto sum = hn::Zero(d);
    for (int tap = 0; tap < count; ++tap) {
      sum = add_tap(sum, hn::Load(d, taps.weight[tap] + i), hn::GatherIndex(d, plane, hn::Load(di, taps.offset[tap] + i)));
    }
    return sum;
  });
}

void gather_pairs(const TapBlock& taps, int count, const float* plane, float* y, int points) {
#if HWY_TARGET == HWY_SCALAR
  gather_plane(taps, count, plane, y, points);
#else
  const F32 d;
  const hn::Repartition<double, F32> pair;
  const hn::Repartition<std::int64_t, F32> wide;
  const hn::Rebind<std::int32_t, decltype(wide)> half;
  const int lanes = static_cast<int>(hn::Lanes(d));
  const auto gather = [&](const std::int32_t* offsets) HWY_ATTR {
    const auto bytes = hn::ShiftLeft<2>(hn::PromoteTo(wide, hn::LoadU(half, offsets)));
    return hn::BitCast(d, hn::GatherOffset(pair, reinterpret_cast<const double*>(plane), bytes));
  };
  for_each_vector(y, points, [&](int i) HWY_ATTR {
    auto sum = hn::Zero(d);
    for (int tap = 0; tap < count; tap += 2) {
      const auto low = gather(taps.offset[tap] + i), high = gather(taps.offset[tap] + i + lanes / 2);
      sum = add_tap(sum, hn::Load(d, taps.weight[tap] + i), hn::ConcatEven(d, high, low));
      sum = add_tap(sum, hn::Load(d, taps.weight[tap + 1] + i), hn::ConcatOdd(d, high, low));
    }
    return sum;
  });
#endif
}

void sum_pixels(const TapBlock& taps, int count, const float* source, float* y, std::int64_t step, std::int64_t channels, int points) {
  float weights[64];
  std::int32_t offsets[64];
  TapList list{weights, offsets};
  for (int i = 0; i < points; ++i) {
    list.count = 0;
    for (int tap = 0; tap < count; ++tap) {
      weights[list.count] = taps.weight[tap][i];
      offsets[list.count] = taps.offset[tap][i];
      list.count += taps.weight[tap][i] != 0;
    }
    sum_taps(list, source, y + i * step, channels);
  }
}

void sum_vectors(const TapBlock& taps, int count, const float* source, float* y, int points) {
  const F32 d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  for (int i = 0; i < points; ++i) {
    auto sum = hn::Zero(d);
    for (int tap = 0; tap < count; ++tap) {
      const float weight = taps.weight[tap][i];
      if (weight != 0) sum = hn::MulAdd(hn::Set(d, weight), hn::LoadU(d, source + taps.offset[tap][i]), sum);
    }
    hn::Store(sum, d, y + i * lanes);
  }
}

void transpose(const float* src, std::int64_t src_step, float* dst, std::int64_t dst_step, std::int64_t rows, std::int64_t columns) {
  std::int64_t r = 0;
#if HWY_TARGET != HWY_SCALAR
  const hn::FixedTag<float, 4> d;
  const hn::Repartition<double, decltype(d)> dd;
  for (; r + 4 <= rows; r += 4) {
    std::int64_t c = 0;
    for (; c + 4 <= columns; c += 4) {
      const float* from = src + r * src_step + c;
      float* to = dst + c * dst_step + r;
      const auto v0 = hn::LoadU(d, from), v1 = hn::LoadU(d, from + src_step), v2 = hn::LoadU(d, from + 2 * src_step), v3 = hn::LoadU(d, from + 3 * src_step);
      const auto a = hn::BitCast(dd, hn::InterleaveLower(d, v0, v1)), b = hn::BitCast(dd, hn::InterleaveLower(d, v2, v3));
      const auto e = hn::BitCast(dd, hn::InterleaveUpper(d, v0, v1)), f = hn::BitCast(dd, hn::InterleaveUpper(d, v2, v3));
      hn::StoreU(hn::BitCast(d, hn::InterleaveLower(dd, a, b)), d, to);
      hn::StoreU(hn::BitCast(d, hn::InterleaveUpper(dd, a, b)), d, to + dst_step);
      hn::StoreU(hn::BitCast(d, hn::InterleaveLower(dd, e, f)), d, to + 2 * dst_step);
      hn::StoreU(hn::BitCast(d, hn::InterleaveUpper(dd, e, f)), d, to + 3 * dst_step);
    }
    for (; c < columns; ++c) {
      for (std::int64_t k = r; k < r + 4; ++k) dst[c * dst_step + k] = src[k * src_step + c];
    }
  }
#endif
  for (; r < rows; ++r) {
    for (std::int64_t c = 0; c < columns; ++c) dst[c * dst_step + r] = src[r * src_step + c];
  }
}

const GridSampleOps* grid_sample_table() {
  static const GridSampleOps table = {static_cast<int>(hn::Lanes(F32())), split_coordinates, find_axis_taps, multiply_axes, gather_plane, gather_pairs, sum_pixels, transpose, sum_vectors};
  return &table;
}

}  // namespace fovea::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace fovea::cpu {

HWY_EXPORT(grid_sample_table);

const GridSampleOps& grid_sample_ops() { return *HWY_DYNAMIC_DISPATCH(grid_sample_table)(); }

}  // namespace fovea::cpu
#endif
