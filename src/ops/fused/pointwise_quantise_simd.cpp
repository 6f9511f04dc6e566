// SPDX-License-Identifier: Apache-2.0
// Quantisation steps as Highway loops: bytes to f32 and back in one go, rounded as the division would be.
#include "backends/cpu/kit/simd_targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ops/fused/pointwise_quantise_simd.cpp"
#include "hwy/foreach_target.h"
//
#include "hwy/highway.h"
#include "ops/fused/pointwise_tiles.h"

HWY_BEFORE_NAMESPACE();
namespace fovea::cpu::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;
using F32 = hn::ScalableTag<float>;
using VF = hn::Vec<F32>;

HWY_INLINE float first(const void* operand) { return *static_cast<const float*>(operand); }

/// q = min(max(round(x / scale) + zero, low), high), as f32.
class Quantise {
 public:
  HWY_INLINE explicit Quantise(const void* const* parameters)
      : scale_(first(parameters[0])), zero_(first(parameters[1])), low_(first(parameters[2])), high_(first(parameters[3])) {}

  HWY_INLINE VF operator()(F32 d, VF x) const {
    // Multiplying by the inverse rounds to the same whole number as the division unless the quotient lies within its own
    // rounding error of a tie: only then divide. 3e-7 > three roundings of 2^-24.
    const VF quotient = hn::Mul(x, hn::Set(d, 1.0f / scale_));
    VF whole = hn::Round(quotient);
    const auto doubtful = hn::Not(hn::Lt(hn::MulAdd(hn::Abs(quotient), hn::Set(d, 3e-7f), hn::Abs(hn::Sub(quotient, whole))), hn::Set(d, 0.5f)));
    if (HWY_UNLIKELY(!hn::AllFalse(d, doubtful))) whole = hn::Round(hn::Div(x, hn::Set(d, scale_)));
    return hn::Min(hn::Max(hn::Add(whole, hn::Set(d, zero_)), hn::Set(d, low_)), hn::Set(d, high_));
  }
  float scale() const { return scale_; }
  float zero() const { return zero_; }

 private:
  float scale_, zero_, low_, high_;
};

/// (x - zero) * scale of bytes.
template <class Byte>
class Dequantise {
 public:
  HWY_INLINE Dequantise(const void* scale, const void* zero) : scale_(first(scale)), zero_(first(zero)) {}

  HWY_INLINE VF operator()(F32 d, const Byte* x) const {
    const hn::RebindToSigned<F32> di;
    const hn::Rebind<Byte, F32> db;
    return hn::Mul(hn::Sub(hn::ConvertTo(d, hn::PromoteTo(di, hn::LoadU(db, x))), hn::Set(d, zero_)), hn::Set(d, scale_));
  }

 private:
  float scale_, zero_;
};

/// Stores whole numbers inside the type's range.
template <class T>
HWY_INLINE void store(F32 d, VF value, T* y) {
  if constexpr (std::is_same_v<T, float>) {
    hn::StoreU(value, d, y);
  } else {
    const hn::RebindToSigned<F32> di;
    const hn::Rebind<T, F32> db;
    hn::StoreU(hn::DemoteTo(db, hn::ConvertTo(di, value)), db, y);
  }
}

/// y[i] = function(x + i) for whole vectors; the rest, and what is behind it, through buffers. kInputs arrays of one type.
template <int kInputs, class X, class Y, class Function>
HWY_INLINE void map_tile(const void* const* operands, void* result, std::int64_t n, Function function) {
  const F32 d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  const X* a = static_cast<const X*>(operands[0]);
  const X* b = static_cast<const X*>(operands[kInputs - 1]);
  Y* y = static_cast<Y*>(result);
  std::int64_t i = 0;
  for (; i + lanes <= n; i += lanes) store(d, function(d, a + i, b + i), y + i);
  if (i == n) return;
  X ta[hn::MaxLanes(d)] = {}, tb[hn::MaxLanes(d)] = {};
  Y ty[hn::MaxLanes(d)];
  for (std::int64_t k = i; k < n; ++k) ta[k - i] = a[k], tb[k - i] = b[k];
  store(d, function(d, ta, tb), ty);
  for (std::int64_t k = i; k < n; ++k) y[k] = ty[k - i];
}

void tile_fake_quantise(const void* const* operands, void* result, std::int64_t n) {
  const Quantise quantise(operands + 1);
  map_tile<1, float, float>(operands, result, n, [=](F32 d, const float* x, const float*) HWY_ATTR {
    return hn::Mul(hn::Sub(quantise(d, hn::LoadU(d, x)), hn::Set(d, quantise.zero())), hn::Set(d, quantise.scale()));
  });
}

template <class Byte>
void tile_quantise(const void* const* operands, void* result, std::int64_t n) {
  const Quantise quantise(operands + 1);
  map_tile<1, float, Byte>(operands, result, n, [=](F32 d, const float* x, const float*) HWY_ATTR { return quantise(d, hn::LoadU(d, x)); });
}

template <class Byte>
void tile_dequantise(const void* const* operands, void* result, std::int64_t n) {
  const Dequantise<Byte> dequantise(operands[1], operands[2]);
  map_tile<1, Byte, float>(operands, result, n, [=](F32 d, const Byte* x, const Byte*) HWY_ATTR { return dequantise(d, x); });
}

template <class From, class To>
void tile_quantised_sum(const void* const* operands, void* result, std::int64_t n) {
  const Dequantise<From> left(operands[2], operands[3]), right(operands[4], operands[5]);
  const Quantise quantise(operands + 6);
  map_tile<2, From, To>(operands, result, n, [=](F32 d, const From* a, const From* b) HWY_ATTR { return quantise(d, hn::Add(left(d, a), right(d, b))); });
}

#if HWY_TARGET != HWY_SCALAR && HWY_TARGET != HWY_EMU128
TileFunction find_fake_quantise() { return tile_fake_quantise; }
TileFunction find_quantise(DataType to) { return to == DataType::i8 ? tile_quantise<std::int8_t> : tile_quantise<std::uint8_t>; }
TileFunction find_dequantise(DataType from) { return from == DataType::i8 ? tile_dequantise<std::int8_t> : tile_dequantise<std::uint8_t>; }
TileFunction find_quantised_sum(DataType from, DataType to) {
  if (from == DataType::i8) return to == DataType::i8 ? tile_quantised_sum<std::int8_t, std::int8_t> : tile_quantised_sum<std::int8_t, std::uint8_t>;
  return to == DataType::i8 ? tile_quantised_sum<std::uint8_t, std::int8_t> : tile_quantised_sum<std::uint8_t, std::uint8_t>;
}
#else  // one instruction at a time is no slower there
TileFunction find_fake_quantise() { return nullptr; }
TileFunction find_quantise(DataType) { return nullptr; }
TileFunction find_dequantise(DataType) { return nullptr; }
TileFunction find_quantised_sum(DataType, DataType) { return nullptr; }
#endif

}  // namespace fovea::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace fovea::cpu {

HWY_EXPORT(find_fake_quantise);
HWY_EXPORT(find_quantise);
HWY_EXPORT(find_dequantise);
HWY_EXPORT(find_quantised_sum);

TileFunction fake_quantise_tile_function() { return HWY_DYNAMIC_DISPATCH(find_fake_quantise)(); }
TileFunction quantise_tile_function(DataType to) { return HWY_DYNAMIC_DISPATCH(find_quantise)(to); }
TileFunction dequantise_tile_function(DataType from) { return HWY_DYNAMIC_DISPATCH(find_dequantise)(from); }
TileFunction quantised_sum_tile_function(DataType from, DataType to) { return HWY_DYNAMIC_DISPATCH(find_quantised_sum)(from, to); }

}  // namespace fovea::cpu
#endif
