// SPDX-License-Identifier: Apache-2.0
// Weighted sums of a few places of a tensor with contiguous channels, compiled once per instruction set: what
// deformable attention and GridSample do for each query or point.
#if defined(FOVEA_CHANNEL_SUMS_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef FOVEA_CHANNEL_SUMS_INL
#undef FOVEA_CHANNEL_SUMS_INL
#else
#define FOVEA_CHANNEL_SUMS_INL
#endif

#include "base/element_types.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace fovea::cpu::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

// The element types as our scalar code and as Highway knows them.
template <class T> struct Lane { using type = T; };
template <> struct Lane<Half> { using type = hwy::float16_t; };
template <> struct Lane<BFloat16> { using type = hwy::bfloat16_t; };

/// Lanes(d) elements as f32.
template <class D, class T>
HWY_INLINE hn::Vec<D> load_wide(D d, const T* from) {
  if constexpr (kIsHalf<T>) {
    using Narrow = typename Lane<T>::type;
    return hn::PromoteTo(d, hn::LoadU(hn::Rebind<Narrow, D>(), reinterpret_cast<const Narrow*>(from)));
  } else {
    return hn::LoadU(d, from);
  }
}

/// Taps that count: weight and first element.
struct TapList {
  float* weight;
  std::int32_t* offset;
  std::int64_t count = 0;
};

/// y = sum of weight * source for kVectors vectors of channels. kWays partial sums hide the latency of the additions.
template <int kVectors, class D, class T>
HWY_INLINE void sum_channels(D d, const TapList& list, const T* source, float* y) {
  constexpr int kWays = kVectors >= 4 ? 2 : 4;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  hn::Vec<D> sum[kWays][kVectors];
#pragma GCC unroll 8
  for (int w = 0; w < kWays; ++w) {
#pragma GCC unroll 8
    for (int v = 0; v < kVectors; ++v) sum[w][v] = hn::Zero(d);
  }
  const auto add = [&](std::int64_t c, auto& into) HWY_ATTR {
    const auto weight = hn::Set(d, list.weight[c]);
    const T* from = source + list.offset[c];
#pragma GCC unroll 8
    for (int v = 0; v < kVectors; ++v) into[v] = hn::MulAdd(weight, load_wide(d, from + v * lanes), into[v]);
  };
  std::int64_t c = 0;
  for (; c + kWays <= list.count; c += kWays) {
#pragma GCC unroll 8
    for (int w = 0; w < kWays; ++w) add(c + w, sum[w]);
  }
  for (; c < list.count; ++c) add(c, sum[0]);
#pragma GCC unroll 8
  for (int v = 0; v < kVectors; ++v) {
    for (int w = 1; w < kWays; ++w) sum[0][v] = hn::Add(sum[0][v], sum[w][v]);
    hn::StoreU(sum[0][v], d, y + v * lanes);
  }
}

/// All channels with vectors of D; `width` is at least one vector. The last one may overlap its neighbour.
template <class D, class T>
HWY_INLINE void sum_row(D d, const TapList& list, const T* source, float* y, std::int64_t width) {
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  std::int64_t i = 0;
  for (; i + 4 * lanes <= width; i += 4 * lanes) sum_channels<4>(d, list, source + i, y + i);
  for (; i + 2 * lanes <= width; i += 2 * lanes) sum_channels<2>(d, list, source + i, y + i);
  for (; i + lanes <= width; i += lanes) sum_channels<1>(d, list, source + i, y + i);
  if (i < width) sum_channels<1>(d, list, source + width - lanes, y + width - lanes);
}

/// y[c] = sum over the taps of weight * source[offset + c] for `width` channels.
template <class T>
HWY_INLINE void sum_taps(const TapList& list, const T* source, float* y, std::int64_t width) {
  const hn::ScalableTag<float> full;
  if (width >= static_cast<std::int64_t>(hn::Lanes(full))) sum_row(full, list, source, y, width);
  else if (width >= 8) sum_row(hn::CappedTag<float, 8>(), list, source, y, width);
  else if (width >= 4) sum_row(hn::CappedTag<float, 4>(), list, source, y, width);
  else sum_row(hn::CappedTag<float, 1>(), list, source, y, width);
}

}  // namespace fovea::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
