// SPDX-License-Identifier: Apache-2.0
// Deformable attention as Highway loops, for each query: (1) positions, corners and weights of all samples at once, one
// sample a lane; (2) the corners that count, squeezed into a list; (3) one pass over the list with the channels in
// registers. Corners of weight zero are not in the list, so that an infinite neighbour does no harm.
#include "backends/cpu/kit/simd_targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ops/deform/deform_attention_simd.cpp"
#include "hwy/foreach_target.h"
//
#include <cstring>

#include "backends/cpu/kit/row_ops.h"
#include "backends/cpu/kit/simd_math-inl.h"
#include "hwy/highway.h"
#include "ops/deform/channel_sums-inl.h"
#include "ops/deform/deform_attention_tile.h"

HWY_BEFORE_NAMESPACE();
namespace fovea::cpu::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;
using F32 = hn::ScalableTag<float>;
using I32 = hn::RebindToSigned<F32>;

template <class T>
HWY_INLINE void widen(const T* from, float* to, std::int64_t n) {
  const F32 d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  std::int64_t i = 0;
  for (; i + lanes <= n; i += lanes) hn::StoreU(load_wide(d, from + i), d, to + i);
  for (; i < n; ++i) to[i] = static_cast<float>(from[i]);
}

/// Steps 1 and 2 for the samples from `i` on; `locations` holds x and y in turn.
HWY_INLINE void add_corners(const AttentionTile& tile, const float* locations, const float* weights, std::int64_t i, TapList& list) {
  const F32 d;
  const I32 di;
  const SampleTable& table = *tile.table;
  const auto half = hn::Set(d, 0.5f), one = hn::Set(d, 1.0f), outside = hn::Set(d, -1.0f);
  const auto width = hn::LoadU(d, table.width + i), height = hn::LoadU(d, table.height + i);
  hn::Vec<F32> x, y;
  hn::LoadInterleaved2(d, locations + 2 * i, x, y);
  const auto px = hn::MulSub(x, width, half), py = hn::MulSub(y, height, half);
  const auto left = hn::Floor(px), top = hn::Floor(py);
  // From the product again, so that the fractions carry one rounding of their own size and not the position's.
  const auto lx = hn::MulSub(x, width, hn::Add(left, half)), ly = hn::MulSub(y, height, hn::Add(top, half));
  const auto inside = hn::And(hn::And(hn::Gt(px, outside), hn::Lt(px, width)), hn::And(hn::Gt(py, outside), hn::Lt(py, height)));
  const auto counted = hn::And(inside, hn::FirstN(d, static_cast<std::size_t>(tile.samples - i)));
  const auto column = hn::ConvertTo(di, hn::IfThenElseZero(counted, left)), row = hn::ConvertTo(di, hn::IfThenElseZero(counted, top));
  const auto minus_one = hn::Set(di, -1);
  const auto has_left = hn::RebindMask(d, hn::Gt(column, minus_one)), has_top = hn::RebindMask(d, hn::Gt(row, minus_one));
  const auto has_right = hn::RebindMask(d, hn::Lt(column, hn::LoadU(di, table.last_column + i)));
  const auto has_bottom = hn::RebindMask(d, hn::Lt(row, hn::LoadU(di, table.last_row + i)));
  const auto columns = hn::LoadU(di, table.columns + i), step = hn::Set(di, static_cast<std::int32_t>(tile.value_step));
  const auto first = hn::Mul(hn::Add(hn::Add(hn::LoadU(di, table.start + i), hn::Mul(row, columns)), column), step);
  const auto weight = hn::LoadU(d, weights + i);
  const auto add = [&](auto exists, auto share, auto offset) HWY_ATTR {
    const auto mask = hn::AndNot(hn::Eq(share, hn::Zero(d)), hn::And(counted, exists));
    hn::CompressStore(hn::Mul(weight, share), mask, d, list.weight + list.count);
    list.count += static_cast<std::int64_t>(hn::CompressStore(offset, hn::RebindMask(di, mask), di, list.offset + list.count));
  };
  const auto below = hn::Add(first, hn::Mul(columns, step));
  const auto rx = hn::Sub(one, lx), ry = hn::Sub(one, ly);
  add(hn::And(has_top, has_left), hn::Mul(ry, rx), first);
  add(hn::And(has_top, has_right), hn::Mul(ry, lx), hn::Add(first, step));
  add(hn::And(has_bottom, has_left), hn::Mul(ly, rx), below);
  add(hn::And(has_bottom, has_right), hn::Mul(ly, lx), hn::Add(below, step));
}

/// exp(weights - max) / sum in place.
HWY_INLINE void softmax(float* weights, std::int64_t n) {
  const RowOps& ops = row_ops();
  const float sum = ops.exp_shifted(weights, ops.max(weights, n), weights, n);
  ops.scale(weights, 1 / sum, weights, n);
}

template <class T>
void attend(const AttentionTile& tile) {
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(F32()));
  const std::int64_t padded = padded_samples(tile.samples);
  auto* const own_locations = static_cast<float*>(tile.scratch);
  float* const own_weights = own_locations + 2 * padded;
  TapList list{own_weights + padded, reinterpret_cast<std::int32_t*>(own_weights + 5 * padded)};
  float* const row = own_weights + 9 * padded;
  // Vectors read whole ones, so a copy is needed where the last is not.
  const bool copies = kIsHalf<T> || tile.samples % lanes != 0;
  std::memset(own_locations, 0, static_cast<std::size_t>(3 * padded) * sizeof(float));
  for (std::int64_t q = 0; q < tile.queries; ++q) {
    const T* const locations = static_cast<const T*>(tile.locations) + q * tile.locations_step;
    const T* const weights = static_cast<const T*>(tile.weights) + q * tile.weights_step;
    T* const y = static_cast<T*>(tile.y) + q * tile.y_step;
    if (copies) widen(locations, own_locations, 2 * tile.samples);
    if (copies || tile.softmax) widen(weights, own_weights, tile.samples);
    if (tile.softmax) softmax(own_weights, tile.samples);
    const float *points = own_locations, *shares = own_weights;
    float* sums = row;
    if constexpr (!kIsHalf<T>) {
      if (!copies) points = locations;
      if (!copies && !tile.softmax) shares = weights;
      sums = y;
    }
    list.count = 0;
    for (std::int64_t i = 0; i < tile.samples; i += lanes) add_corners(tile, points, shares, i, list);
    const auto* value = static_cast<const T*>(tile.value);
    sum_taps(list, value, sums, tile.width);
    if constexpr (kIsHalf<T>) {
      for (std::int64_t i = 0; i < tile.width; ++i) y[i] = T(sums[i]);
    }
  }
}

AttentionTileFunction find_attention_tile(DataType type) {
  if (type == DataType::f32) return attend<float>;
#if HWY_TARGET != HWY_SCALAR && HWY_TARGET != HWY_EMU128
  if (type == DataType::f16) return attend<Half>;
  if (type == DataType::bf16) return attend<BFloat16>;
#endif
  return nullptr;
}

}  // namespace fovea::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace fovea::cpu {

HWY_EXPORT(find_attention_tile);

AttentionTileFunction attention_tile_function(DataType type) { return HWY_DYNAMIC_DISPATCH(find_attention_tile)(type); }

}  // namespace fovea::cpu
#endif
