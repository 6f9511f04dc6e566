// SPDX-License-Identifier: Apache-2.0
// Rows of f32, f16 and bf16 elements read and written as f32 vectors, compiled once per instruction set. Elements are
// named by Half and BFloat16; rounding is to nearest even, as theirs.
#if defined(FOVEA_HALF_ROWS_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef FOVEA_HALF_ROWS_INL
#undef FOVEA_HALF_ROWS_INL
#else
#define FOVEA_HALF_ROWS_INL
#endif

#include <cstdint>
#include <cstring>
#include <type_traits>

#include "base/float_types.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace fovea::cpu::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

/// A vector of elements as f32.
template <class D, class T>
HWY_INLINE hn::Vec<D> load_wide(D d, const T* from) {
  if constexpr (std::is_same_v<T, float>) {
    return hn::LoadU(d, from);
  } else if constexpr (std::is_same_v<T, BFloat16>) {
    const hn::RebindToUnsigned<D> du;
    const hn::Rebind<std::uint16_t, D> d16;
    return hn::BitCast(d, hn::ShiftLeft<16>(hn::PromoteTo(du, hn::LoadU(d16, reinterpret_cast<const std::uint16_t*>(from)))));
  } else {
#if HWY_TARGET == HWY_SCALAR || HWY_TARGET == HWY_EMU128
    HWY_ALIGN float wide[hn::MaxLanes(d)];
    for (std::size_t i = 0; i < hn::Lanes(d); ++i) wide[i] = from[i];
    return hn::Load(d, wide);
#else
    const hn::Rebind<hwy::float16_t, D> d16;
    return hn::PromoteTo(d, hn::LoadU(d16, reinterpret_cast<const hwy::float16_t*>(from)));
#endif
  }
}

template <class D, class T>
HWY_INLINE void store_narrow(hn::Vec<D> v, D d, T* to) {
  if constexpr (std::is_same_v<T, float>) {
    hn::StoreU(v, d, to);
  } else if constexpr (std::is_same_v<T, BFloat16>) {
    const hn::RebindToUnsigned<D> du;
    const hn::RebindToSigned<D> di;
    const hn::Rebind<std::uint16_t, D> d16;
    const auto bits = hn::BitCast(du, v);
    const auto odd = hn::And(hn::ShiftRight<16>(bits), hn::Set(du, 1));
    const auto rounded = hn::ShiftRight<16>(hn::Add(bits, hn::Add(odd, hn::Set(du, 0x7fff))));
    const auto quiet = hn::Or(hn::ShiftRight<16>(bits), hn::Set(du, 0x40));
    const auto half = hn::IfThenElse(hn::RebindMask(du, hn::IsNaN(v)), quiet, rounded);
    hn::StoreU(hn::DemoteTo(d16, hn::BitCast(di, half)), d16, reinterpret_cast<std::uint16_t*>(to));
  } else {
#if HWY_TARGET == HWY_SCALAR || HWY_TARGET == HWY_EMU128
    HWY_ALIGN float wide[hn::MaxLanes(d)];
    hn::Store(v, d, wide);
    for (std::size_t i = 0; i < hn::Lanes(d); ++i) to[i] = T(wide[i]);
#else
    const hn::Rebind<hwy::float16_t, D> d16;
    hn::StoreU(hn::DemoteTo(d16, v), d16, reinterpret_cast<hwy::float16_t*>(to));
#endif
  }
}

template <class T>
HWY_INLINE void widen_row(const T* from, std::int64_t n, float* to) {
  if constexpr (std::is_same_v<T, float>) {
    std::memcpy(to, from, static_cast<std::size_t>(n) * sizeof(float));
  } else {
    const hn::ScalableTag<float> d;
    const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
    std::int64_t i = 0;
    for (; i + lanes <= n; i += lanes) hn::StoreU(load_wide(d, from + i), d, to + i);
    for (; i < n; ++i) to[i] = static_cast<float>(from[i]);
  }
}

template <class T>
HWY_INLINE void narrow_row(const float* from, std::int64_t n, T* to) {
  const hn::ScalableTag<float> d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  std::int64_t i = 0;
  for (; i + lanes <= n; i += lanes) store_narrow(hn::LoadU(d, from + i), d, to + i);
  for (; i < n; ++i) to[i] = T(from[i]);
}

}  // namespace fovea::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
