// SPDX-License-Identifier: Apache-2.0
#include "backends/cpu/kit/simd_targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ops/scan/running_extreme_simd.cpp"
#include "hwy/foreach_target.h"
//
#include <algorithm>
#include <type_traits>

#include "hwy/highway.h"
#include "ops/scan/running_extreme_lines.h"

HWY_BEFORE_NAMESPACE();
namespace fovea::cpu::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;
using I64 = hn::ScalableTag<std::int64_t>;
constexpr I64 kI64;

/// Which of `next` take over from `held`: NaN always, numbers unless NaN is held (a comparison with NaN is false).
template <bool kMaximum, class D, class V>
HWY_INLINE auto takes_over(D, V held, V next) {
  if constexpr (std::is_floating_point_v<hn::TFromD<D>>) return hn::Or(kMaximum ? hn::Ge(next, held) : hn::Le(next, held), hn::IsNaN(next));
  else return hn::Not(kMaximum ? hn::Lt(next, held) : hn::Gt(next, held));
}

template <bool kMaximum, class T>
HWY_INLINE bool takes_over(T held, T next) {
  return next != next || (kMaximum ? next >= held : next <= held);
}

/// The maximum of random numbers seldom changes: vectors in which nothing takes over are only filled.
template <bool kMaximum, class T>
HWY_INLINE void row(const T* x, T* values, std::int64_t* indices, std::int64_t n) {
  const hn::ScalableTag<T> d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d)), wide = static_cast<std::int64_t>(hn::Lanes(kI64));
  T held = x[0];
  std::int64_t held_at = 0;
  const auto step = [&](std::int64_t i) {
    if (takes_over<kMaximum>(held, x[i])) held = x[i], held_at = i;
    values[i] = held;
    indices[i] = held_at;
  };
  std::int64_t i = 0;
  for (; i + lanes <= n; i += lanes) {
    const auto all = hn::Set(d, held);
    if (hn::AllFalse(d, takes_over<kMaximum>(d, all, hn::LoadU(d, x + i)))) {
      hn::StoreU(all, d, values + i);
      const auto at = hn::Set(kI64, held_at);
      for (std::int64_t k = 0; k < lanes; k += wide) hn::StoreU(at, kI64, indices + i + k);
    } else {
      for (std::int64_t k = i; k < i + lanes; ++k) step(k);
    }
  }
  for (; i < n; ++i) step(i);
}

/// Line by line of the axis; what is held stands in the values written before and in `held_at`.
template <bool kMaximum, class T>
HWY_INLINE void columns(const T* x, T* values, std::int64_t* indices, std::int64_t extent, std::int64_t stride, std::int64_t n, std::int32_t* held_at) {
  const hn::ScalableTag<T> d;
  const hn::RebindToSigned<decltype(d)> di;
  const hn::Rebind<std::int32_t, I64> narrow;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d)), wide = static_cast<std::int64_t>(hn::Lanes(kI64));
  std::copy_n(x, n, values);
  std::fill_n(indices, n, 0);
  std::fill_n(held_at, n, 0);
  for (std::int64_t k = 1; k < extent; ++k) {
    const T *next = x + k * stride, *held = values + (k - 1) * stride;
    T* value = values + k * stride;
    std::int64_t* index = indices + k * stride;
    const auto now = static_cast<std::int32_t>(k);
    std::int64_t i = 0;
    for (; i + lanes <= n; i += lanes) {
      const auto a = hn::LoadU(d, held + i), b = hn::LoadU(d, next + i);
      const auto taken = takes_over<kMaximum>(d, a, b);
      hn::StoreU(hn::IfThenElse(taken, b, a), d, value + i);
      const auto at = hn::IfThenElse(hn::RebindMask(di, taken), hn::Set(di, now), hn::LoadU(di, held_at + i));
      hn::StoreU(at, di, held_at + i);
      for (std::int64_t c = i; c < i + lanes; c += wide) hn::StoreU(hn::PromoteTo(kI64, hn::LoadU(narrow, held_at + c)), kI64, index + c);
    }
    for (; i < n; ++i) {
      const bool taken = takes_over<kMaximum>(held[i], next[i]);
      value[i] = taken ? next[i] : held[i];
      held_at[i] = taken ? now : held_at[i];
      index[i] = held_at[i];
    }
  }
}

template <class T>
void any_row(const T* x, T* values, std::int64_t* indices, std::int64_t n, bool maximum) {
  maximum ? row<true>(x, values, indices, n) : row<false>(x, values, indices, n);
}
template <class T>
void any_columns(const T* x, T* values, std::int64_t* indices, std::int64_t extent, std::int64_t stride, std::int64_t n, std::int32_t* held_at, bool maximum) {
  maximum ? columns<true>(x, values, indices, extent, stride, n, held_at) : columns<false>(x, values, indices, extent, stride, n, held_at);
}

const RunningExtremeLoops<float>* loops_f32() {
  static const RunningExtremeLoops<float> loops = {any_row<float>, any_columns<float>};
  return &loops;
}
const RunningExtremeLoops<std::int32_t>* loops_i32() {
  static const RunningExtremeLoops<std::int32_t> loops = {any_row<std::int32_t>, any_columns<std::int32_t>};
  return &loops;
}

}  // namespace fovea::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace fovea::cpu {

HWY_EXPORT(loops_f32);
HWY_EXPORT(loops_i32);

template <>
const RunningExtremeLoops<float>& running_extreme_loops<float>() { return *HWY_DYNAMIC_DISPATCH(loops_f32)(); }
template <>
const RunningExtremeLoops<std::int32_t>& running_extreme_loops<std::int32_t>() { return *HWY_DYNAMIC_DISPATCH(loops_i32)(); }

}  // namespace fovea::cpu
#endif
