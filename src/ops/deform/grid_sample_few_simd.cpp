// SPDX-License-Identifier: Apache-2.0
// GridSample of pictures with few channels. There the time goes into the taps, so these never leave the registers: a vector
// of points goes from its coordinates to the samples of all channels at once.
#include "backends/cpu/kit/simd_targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ops/deform/grid_sample_few_simd.cpp"
#include "hwy/foreach_target.h"
//
#include "hwy/highway.h"
#include "ops/deform/grid_sample_axis-inl.h"

HWY_BEFORE_NAMESPACE();
namespace fovea::cpu::HWY_NAMESPACE {
namespace {

/// The element nearest to a position; reflection brings positions inside, border to its ends. Clamping first gives the same
/// element, since the ends are whole.
template <SamplePadding padding>
HWY_INLINE VI nearest(const Axis& axis, VF position) {
  if (padding == SamplePadding::Reflection) position = placed(axis, SampleMode::Nearest, padding, position);
  return hn::NearestInt(axis.clamped(position));
}

/// Stores a vector of nearest elements for each channel.
template <SamplePadding padding>
HWY_INLINE void sample_nearest(const FewPlanes& planes, const Axis& rows, const Axis& columns, VF y, VF x, float* out) {
  const F32 d;
  const auto first_of_row = hn::Mul(nearest<padding>(rows, y), hn::Set(I32(), static_cast<std::int32_t>(planes.x_row)));
  const auto offset = hn::Add(first_of_row, nearest<padding>(columns, x));
  const auto is_outside = hn::Or(rows.is_beyond(hn::Round(y)), columns.is_beyond(hn::Round(x)));
  const auto gather = [&](std::int64_t c) HWY_ATTR {
    const auto value = hn::GatherIndex(d, planes.x + c * planes.x_plane, offset);
    return padding == SamplePadding::Zeros ? hn::IfThenZeroElse(is_outside, value) : value;
  };
  std::int64_t c = 0;
  for (; c + 3 <= planes.channels; c += 3) {  // a gather takes long, but does not wait for another
    const auto a = gather(c), b = gather(c + 1), e = gather(c + 2);
    hn::StoreU(a, d, out + c * planes.y_plane);
    hn::StoreU(b, d, out + (c + 1) * planes.y_plane);
    hn::StoreU(e, d, out + (c + 2) * planes.y_plane);
  }
  for (; c < planes.channels; ++c) hn::StoreU(gather(c), d, out + c * planes.y_plane);
}

template <SamplePadding padding>
HWY_INLINE TapPair linear_taps(const Axis& axis, std::int64_t extent, VF position) {
  const F32 d;
  const auto one = hn::Set(d, 1.0f), first = hn::Floor(position), t = hn::Sub(position, first);
  return pair_of(extent, tap_at(axis, padding, first, hn::Sub(one, t)), tap_at(axis, padding, hn::Add(first, one), t));
}

/// Stores a vector of linear sums for each channel.
template <SamplePadding padding>
HWY_INLINE void sample_linear(const FewPlanes& planes, const Axis& rows, const Axis& columns, VF y, VF x, float* out) {
  const F32 d;
  const TapPair row = linear_taps<padding>(rows, planes.height, y), column = linear_taps<padding>(columns, planes.width, x);
  const PairGather pairs(hn::Add(hn::Mul(row.first, hn::Set(I32(), static_cast<std::int32_t>(planes.x_row))), column.first));
  const auto w00 = hn::Mul(row.weight0, column.weight0), w01 = hn::Mul(row.weight0, column.weight1);
  const auto w10 = hn::Mul(row.weight1, column.weight0), w11 = hn::Mul(row.weight1, column.weight1);
  for (std::int64_t c = 0; c < planes.channels; ++c) {
    const float* plane = planes.x + c * planes.x_plane;
    VF a, b, e, f;
    pairs.gather(plane, a, b);
    pairs.gather(plane + planes.x_row, e, f);
    const auto upper = add_tap(add_tap(hn::Zero(d), w00, a), w01, b);
    hn::StoreU(add_tap(add_tap(upper, w10, e), w11, f), d, out + c * planes.y_plane);
  }
}

template <SampleMode mode, SamplePadding padding>
std::int64_t sample(const GridSampleParams& params, const FewPlanes& all, const float* points, std::int64_t count) {
  const F32 d;
  const FewPlanes planes = all;  // in registers: stores of vectors may change what is behind a reference
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  const Axis rows(params, planes.height), columns(params, planes.width);
  const auto far = hn::Set(d, kFarPosition);
  std::int64_t i = 0;
  for (; i + lanes <= count; i += lanes) {
    VF x, y;
    hn::LoadInterleaved2(d, points + 2 * i, x, y);
    x = position_of(x, planes.width, params.align_corners);
    y = position_of(y, planes.height, params.align_corners);
    if (!hn::AllTrue(d, hn::And(hn::Lt(hn::Abs(x), far), hn::Lt(hn::Abs(y), far)))) break;
    if constexpr (mode == SampleMode::Nearest) sample_nearest<padding>(planes, rows, columns, y, x, planes.y + i);
    else sample_linear<padding>(planes, rows, columns, placed(rows, mode, padding, y), placed(columns, mode, padding, x), planes.y + i);
  }
  return i;
}

template <SampleMode mode>
std::int64_t sample_padded(const GridSampleParams& params, const FewPlanes& planes, const float* points, std::int64_t count) {
  switch (params.padding) {
    case SamplePadding::Zeros: return sample<mode, SamplePadding::Zeros>(params, planes, points, count);
    case SamplePadding::Border: return sample<mode, SamplePadding::Border>(params, planes, points, count);
    default: return sample<mode, SamplePadding::Reflection>(params, planes, points, count);
  }
}

}  // namespace

std::int64_t sample_few(const GridSampleParams& params, const FewPlanes& planes, const float* points, std::int64_t count) {
  return params.mode == SampleMode::Nearest ? sample_padded<SampleMode::Nearest>(params, planes, points, count)
                                            : sample_padded<SampleMode::Linear>(params, planes, points, count);
}

}  // namespace fovea::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace fovea::cpu {

HWY_EXPORT(sample_few);

std::int64_t sample_few_planes(const ops::GridSampleParams& params, const FewPlanes& planes, const float* points, std::int64_t count) {
  return HWY_DYNAMIC_DISPATCH(sample_few)(params, planes, points, count);
}

}  // namespace fovea::cpu
#endif
