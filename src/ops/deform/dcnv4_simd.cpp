// SPDX-License-Identifier: Apache-2.0
// For each pixel and group: (1) the points' coordinates, a vector of points at a time; (2) their corners inside the
// image with a weight as a list of taps; (3) the sum over the taps, a vector of channels at a time.
#include "backends/cpu/kit/simd_targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ops/deform/dcnv4_simd.cpp"
#include "hwy/foreach_target.h"
//
#include "backends/cpu/kit/half_rows-inl.h"
#include "backends/cpu/kit/simd_math-inl.h"
#include "hwy/highway.h"
#include "ops/deform/dcnv4_simd.h"

#include <algorithm>

HWY_BEFORE_NAMESPACE();
namespace fovea::ops::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;
namespace simd = cpu::HWY_NAMESPACE;
using F32 = hn::ScalableTag<float>;
using I32 = hn::RebindToSigned<F32>;
constexpr F32 kF32;
constexpr I32 kI32;
using VF = hn::Vec<F32>;
static_assert(hn::MaxLanes(kF32) <= Dcnv4Job::kWidestVector);

/// Places of value elements (from the image's first one) and what they count.
struct Taps {
  std::int64_t count = 0;
  std::int32_t* place;
  float* weight;
};

/// Numbers of one pixel and group: offsets (dx, dy), then factors. A vector may be read behind them.
struct Numbers {
  const float *offsets, *factors;
};

/// All corners of `n` points: as they are while every one counts, else those that do.
HWY_INLINE void append(const VF (&weight)[4], const hn::Vec<I32> (&place)[4], const hn::Mask<F32> (&counts)[4], VF factor, std::size_t n, Taps& taps) {
  const auto all = hn::And(hn::And(counts[0], counts[1]), hn::And(counts[2], counts[3]));
  if (hn::CountTrue(kF32, all) == n) {
    for (int c = 0; c < 4; ++c) {  // lanes behind the n-th are overwritten by the next corner
      hn::StoreU(place[c], kI32, taps.place + taps.count);
      hn::StoreU(hn::Mul(weight[c], factor), kF32, taps.weight + taps.count);
      taps.count += static_cast<std::int64_t>(n);
    }
    return;
  }
  for (int c = 0; c < 4; ++c) {
    hn::CompressStore(place[c], hn::RebindMask(kI32, counts[c]), kI32, taps.place + taps.count);
    taps.count += static_cast<std::int64_t>(hn::CompressStore(hn::Mul(weight[c], factor), counts[c], kF32, taps.weight + taps.count));
  }
}

/// (px0, py0): what all points of the pixel share.
HWY_INLINE void find_taps(const Dcnv4Job& job, Numbers numbers, float px0, float py0, Taps& taps) {
  const auto lanes = hn::Lanes(kF32);
  const auto points = static_cast<std::size_t>(job.params.points());
  const VF scale = hn::Set(kF32, job.params.offset_scale), minus_one = hn::Set(kF32, -1.0f), one = hn::Set(kF32, 1.0f), zero = hn::Zero(kF32);
  const VF height = hn::Set(kF32, static_cast<float>(job.geometry.h)), width = hn::Set(kF32, static_cast<float>(job.geometry.w));
  const auto pixel = static_cast<std::int32_t>(job.geometry.value_stride), row = static_cast<std::int32_t>(job.geometry.value_stride * job.geometry.w);
  taps.count = 0;
  for (std::size_t k = 0; k < points; k += lanes) {
    const std::size_t n = HWY_MIN(lanes, points - k);
    VF dx, dy;
    hn::LoadInterleaved2(kF32, numbers.offsets + 2 * k, dx, dy);
    const VF px = hn::Add(hn::Set(kF32, px0), hn::Mul(scale, hn::Add(hn::LoadU(kF32, job.window_x.data() + k), dx)));
    const VF py = hn::Add(hn::Set(kF32, py0), hn::Mul(scale, hn::Add(hn::LoadU(kF32, job.window_y.data() + k), dy)));
    auto inside = hn::And(hn::And(hn::Gt(px, minus_one), hn::Lt(px, width)), hn::And(hn::Gt(py, minus_one), hn::Lt(py, height)));
    inside = hn::And(inside, hn::FirstN(kF32, n));
    const VF x = hn::IfThenElseZero(inside, px), y = hn::IfThenElseZero(inside, py);
    const VF left = hn::Floor(x), top = hn::Floor(y), lx = hn::Sub(x, left), ly = hn::Sub(y, top), rx = hn::Sub(one, lx), ry = hn::Sub(one, ly);
    const auto in_left = hn::Ge(left, zero), in_top = hn::And(inside, hn::Ge(top, zero));
    const auto in_right = hn::Lt(hn::Add(left, one), width), in_bottom = hn::And(inside, hn::Lt(hn::Add(top, one), height));
    const VF weight[4] = {hn::Mul(ry, rx), hn::Mul(ry, lx), hn::Mul(ly, rx), hn::Mul(ly, lx)};
    // A weight of zero does not count: the element there may be infinite.
    const hn::Mask<F32> counts[4] = {hn::And(hn::And(in_top, in_left), hn::Gt(weight[0], zero)), hn::And(hn::And(in_top, in_right), hn::Gt(weight[1], zero)),
                                     hn::And(hn::And(in_bottom, in_left), hn::Gt(weight[2], zero)), hn::And(hn::And(in_bottom, in_right), hn::Gt(weight[3], zero))};
    const auto first = hn::Add(hn::Mul(hn::ConvertTo(kI32, top), hn::Set(kI32, row)), hn::Mul(hn::ConvertTo(kI32, left), hn::Set(kI32, pixel)));
    const auto below = hn::Add(first, hn::Set(kI32, row));
    const hn::Vec<I32> place[4] = {first, hn::Add(first, hn::Set(kI32, pixel)), below, hn::Add(below, hn::Set(kI32, pixel))};
    append(weight, place, counts, hn::LoadU(kF32, numbers.factors + k), n, taps);
  }
}

/// Channels 0..kVectors*lanes-1; several accumulators hide the latency of the sum.
template <int kVectors, class T>
HWY_INLINE void sum_taps(const T* value, const Taps& taps, float* y) {
  constexpr int kChains = kVectors >= 4 ? 1 : 4 / kVectors;
  constexpr auto kLanes = static_cast<std::int64_t>(hn::MaxLanes(kF32));
  VF sum[kChains][kVectors];
  for (auto& chain : sum) {
    for (VF& v : chain) v = hn::Zero(kF32);
  }
  std::int64_t t = 0;
  for (; t + kChains <= taps.count; t += kChains) {
#pragma GCC unroll 4
    for (int c = 0; c < kChains; ++c) {
      const VF weight = hn::Set(kF32, taps.weight[t + c]);
      const T* const from = value + taps.place[t + c];
#pragma GCC unroll 4
      for (int v = 0; v < kVectors; ++v) sum[c][v] = hn::MulAdd(weight, simd::load_wide(kF32, from + v * kLanes), sum[c][v]);
    }
  }
  for (; t < taps.count; ++t) {
    const VF weight = hn::Set(kF32, taps.weight[t]);
    for (int v = 0; v < kVectors; ++v) sum[0][v] = hn::MulAdd(weight, simd::load_wide(kF32, value + taps.place[t] + v * kLanes), sum[0][v]);
  }
  for (int v = 0; v < kVectors; ++v) {
    VF total = sum[0][v];
    if constexpr (kChains == 4) total = hn::Add(hn::Add(total, sum[1][v]), hn::Add(sum[2][v], sum[3][v]));
    if constexpr (kChains == 2) total = hn::Add(total, sum[1][v]);
    hn::StoreU(total, kF32, y + v * kLanes);
  }
}

template <class T>
HWY_INLINE void sum_channels(const T* value, const Taps& taps, std::int64_t channels, float* y) {
  constexpr auto kLanes = static_cast<std::int64_t>(hn::MaxLanes(kF32));
  std::int64_t d = 0;
  for (; d + 4 * kLanes <= channels; d += 4 * kLanes) sum_taps<4>(value + d, taps, y + d);
  if (d + 2 * kLanes <= channels) sum_taps<2>(value + d, taps, y + d), d += 2 * kLanes;
  if (d + kLanes <= channels) sum_taps<1>(value + d, taps, y + d), d += kLanes;
  for (; d < channels; ++d) {
    float sum = 0;
    for (std::int64_t t = 0; t < taps.count; ++t) sum += taps.weight[t] * static_cast<float>(value[taps.place[t] + d]);
    y[d] = sum;
  }
}

void softmax(float* x, std::int64_t n) {
  float top = x[0], sum = 0;
  for (std::int64_t i = 1; i < n; ++i) top = HWY_MAX(top, x[i]);
  const VF shift = hn::Set(kF32, top);
  for (std::int64_t i = 0; i < n; i += static_cast<std::int64_t>(hn::Lanes(kF32))) {
    HWY_ALIGN float part[hn::MaxLanes(kF32)] = {};
    const std::int64_t rest = HWY_MIN(n - i, static_cast<std::int64_t>(hn::Lanes(kF32)));
    std::copy_n(x + i, rest, part);
    hn::Store(simd::exp_f32(kF32, hn::Sub(hn::Load(kF32, part), shift)), kF32, part);
    std::copy_n(part, rest, x + i);
  }
  for (std::int64_t i = 0; i < n; ++i) sum += x[i];
  for (std::int64_t i = 0; i < n; ++i) x[i] /= sum;
}

template <class T>
void sample_pixels(const Dcnv4Job& job, const void* value, const void* offset, void* y, std::int64_t begin, std::int64_t end, float* scratch) {
  const Dcnv4Params& params = job.params;
  const Dcnv4Geometry& geometry = job.geometry;
  const std::int64_t pixels = geometry.pixels(), points = params.points(), channels = params.channels();
  const float half_x = static_cast<float>(params.x.half()), half_y = static_cast<float>(params.y.half()), s = params.offset_scale;
  float* const numbers = scratch;
  float* const row = numbers + job.number_floats();
  float* const weights = row + job.result_floats();
  Taps taps{.place = reinterpret_cast<std::int32_t*>(weights + job.tap_floats()), .weight = weights};
  for (std::int64_t q = begin; q < end; ++q) {
    const std::int64_t n = q / pixels, oy = q % pixels / geometry.ow, ox = q % geometry.ow;
    const T* const image = static_cast<const T*>(value) + n * geometry.h * geometry.w * geometry.value_stride;
    simd::widen_row(static_cast<const T*>(offset) + q * geometry.offset_stride + geometry.offset_start, params.offset_channels(), numbers);
    const float px0 = static_cast<float>(ox * params.x.stride - params.x.pad + params.x.half()) - s * half_x;
    const float py0 = static_cast<float>(oy * params.y.stride - params.y.pad + params.y.half()) - s * half_y;
    T* const dst = static_cast<T*>(y) + q * channels;
    float* const sums = std::is_same_v<T, float> ? reinterpret_cast<float*>(dst) : row;
    for (std::int64_t g = 0; g < params.group; ++g) {
      float* const own = numbers + g * 3 * points;
      if (params.softmax) softmax(own + 2 * points, points);
      find_taps(job, {own, own + 2 * points}, px0, py0, taps);
      sum_channels(image + g * params.group_channels, taps, params.group_channels, sums + g * params.group_channels);
    }
    if constexpr (!std::is_same_v<T, float>) simd::narrow_row(row, channels, dst);
  }
}

}  // namespace

Dcnv4Loop find_dcnv4_loop(DataType type) {
  switch (type) {
    case DataType::f32: return sample_pixels<float>;
    case DataType::f16: return sample_pixels<Half>;
    case DataType::bf16: return sample_pixels<BFloat16>;
    default: return nullptr;
  }
}

}  // namespace fovea::ops::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace fovea::ops {

HWY_EXPORT(find_dcnv4_loop);

Dcnv4Loop dcnv4_loop(DataType type) { return HWY_DYNAMIC_DISPATCH(find_dcnv4_loop)(type); }

}  // namespace fovea::ops
#endif
