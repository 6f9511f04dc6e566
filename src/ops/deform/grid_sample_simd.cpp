// SPDX-License-Identifier: Apache-2.0
// GridSample as Highway loops over blocks of points: their taps, then the sums over the taps.
#include "backends/cpu/kit/simd_targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ops/deform/grid_sample_simd.cpp"
#include "hwy/foreach_target.h"
//
#include <algorithm>

#include "hwy/highway.h"
#include "ops/deform/channel_sums-inl.h"
#include "ops/deform/grid_sample_axis-inl.h"
#include "ops/deform/grid_sample_tile.h"

HWY_BEFORE_NAMESPACE();
namespace fovea::cpu::HWY_NAMESPACE {

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

bool find_axis_taps(const GridSampleParams& params, std::int64_t extent, AxisBlock& block) {
  const F32 d;
  const Axis axis(params, extent);
  const auto one = hn::Set(d, 1.0f);
  bool all_near = true;
  for (int i = 0; i < kPointBlock; i += static_cast<int>(hn::Lanes(d))) {
    auto position = position_of(hn::Load(d, block.coordinate + i), extent, params.align_corners);
    const auto is_near = hn::Lt(hn::Abs(position), hn::Set(d, kFarPosition));
    all_near = all_near && hn::AllTrue(d, is_near);
    position = placed(axis, params.mode, params.padding, hn::IfThenElseZero(is_near, position));
    const auto first = hn::Floor(position), t = hn::Sub(position, first), rest = hn::Sub(one, t);
    const auto store = [&](int tap, auto index, auto weight) HWY_ATTR {
      hn::Store(index, I32(), block.index[tap] + i);
      hn::Store(weight, d, block.weight[tap] + i);
    };
    const auto put = [&](int tap, auto at, auto weight) HWY_ATTR {
      const Tap found = tap_at(axis, params.padding, at, weight);
      store(tap, found.index, found.weight);
    };
    switch (params.mode) {
      case SampleMode::Nearest: put(0, first, one); break;
      case SampleMode::Linear:
        if (extent >= 2) {
          const TapPair pair = pair_of(extent, tap_at(axis, params.padding, first, rest), tap_at(axis, params.padding, hn::Add(first, one), t));
          store(0, pair.first, pair.weight0);
          store(1, hn::Add(pair.first, hn::Set(I32(), 1)), pair.weight1);
        } else {
          put(0, first, rest);
          put(1, hn::Add(first, one), t);
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

void gather_plane(const TapBlock& taps, int count, const float* plane, float* y, int points) {
  const F32 d;
  const I32 di;
  for_each_vector(y, points, [&](int i) HWY_ATTR {
    auto sum = hn::Zero(d);
    if (count == 1) {  // nearest moves elements
      return hn::IfThenElseZero(hn::Ne(hn::Load(d, taps.weight[0] + i), sum), hn::GatherIndex(d, plane, hn::Load(di, taps.offset[0] + i)));
    }
    for (int tap = 0; tap < count; ++tap) {
      sum = add_tap(sum, hn::Load(d, taps.weight[tap] + i), hn::GatherIndex(d, plane, hn::Load(di, taps.offset[tap] + i)));
    }
    return sum;
  });
}

void gather_pairs(const TapBlock& taps, int count, const float* plane, float* y, int points) {
  const F32 d;
  for_each_vector(y, points, [&](int i) HWY_ATTR {
    auto sum = hn::Zero(d);
    for (int tap = 0; tap < count; tap += 2) {
      VF left, right;
      PairGather(hn::Load(I32(), taps.offset[tap] + i)).gather(plane, left, right);
      sum = add_tap(sum, hn::Load(d, taps.weight[tap] + i), left);
      sum = add_tap(sum, hn::Load(d, taps.weight[tap + 1] + i), right);
    }
    return sum;
  });
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
