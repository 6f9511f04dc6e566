// SPDX-License-Identifier: Apache-2.0
// Pointwise instructions as Highway loops: f32 arithmetic and functions, f32 to and from f16 and bf16.
#include "backends/cpu/kit/simd_targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ops/fused/pointwise_simd.cpp"
#include "hwy/foreach_target.h"
//
#include "backends/cpu/kit/simd_math-inl.h"
#include "hwy/highway.h"
#include "ops/fused/pointwise_tiles.h"

HWY_BEFORE_NAMESPACE();
namespace fovea::cpu::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;
using F32 = hn::ScalableTag<float>;

/// Whole vectors, then one vector over what is left, loaded and stored through a buffer.
template <int kOperands, class Function>
HWY_INLINE void map_f32(const void* const* operands, void* result, std::int64_t n, Function function) {
  const F32 d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  const float* a = static_cast<const float*>(operands[0]);
  const float* b = kOperands > 1 ? static_cast<const float*>(operands[1]) : a;
  float* y = static_cast<float*>(result);
  std::int64_t i = 0;
  for (; i + lanes <= n; i += lanes) hn::StoreU(function(d, hn::LoadU(d, a + i), hn::LoadU(d, b + i)), d, y + i);
  if (i == n) return;
  HWY_ALIGN float ta[hn::MaxLanes(d)] = {}, tb[hn::MaxLanes(d)] = {};
  for (std::int64_t k = i; k < n; ++k) ta[k - i] = a[k], tb[k - i] = b[k];
  const auto last = function(d, hn::Load(d, ta), hn::Load(d, tb));
  hn::Store(last, d, ta);
  for (std::int64_t k = i; k < n; ++k) y[k] = ta[k - i];
}

#define FOVEA_TILE(Name, operands, expression)                                           \
  void tile_##Name(const void* const* inputs, void* result, std::int64_t n) {            \
    map_f32<operands>(inputs, result, n, [](auto d, auto a, auto b) HWY_ATTR {           \
      static_cast<void>(d), static_cast<void>(b);                                        \
      return expression;                                                                 \
    });                                                                                  \
  }

FOVEA_TILE(abs, 1, hn::Abs(a))
FOVEA_TILE(ceil, 1, hn::Ceil(a))
FOVEA_TILE(erf, 1, erf_f32(d, a))
FOVEA_TILE(exp, 1, exp_f32(d, a))
FOVEA_TILE(floor, 1, hn::Floor(a))
FOVEA_TILE(log, 1, log_f32(d, a))
FOVEA_TILE(neg, 1, hn::Neg(a))
FOVEA_TILE(reciprocal, 1, hn::Div(hn::Set(d, 1.0f), a))
FOVEA_TILE(relu, 1, hn::IfThenElse(hn::IsNaN(a), a, hn::Max(a, hn::Zero(d))))
FOVEA_TILE(round, 1, hn::Round(a))
FOVEA_TILE(sigmoid, 1, sigmoid_f32(d, a))
FOVEA_TILE(softplus, 1, softplus_f32(d, a))
FOVEA_TILE(sqrt, 1, hn::Sqrt(a))
FOVEA_TILE(tanh, 1, tanh_f32(d, a))
FOVEA_TILE(add, 2, hn::Add(a, b))
FOVEA_TILE(sub, 2, hn::Sub(a, b))
FOVEA_TILE(mul, 2, hn::Mul(a, b))
FOVEA_TILE(div, 2, hn::Div(a, b))
// Which operand wins when one is NaN differs between instruction sets, so NaN is put back explicitly.
FOVEA_TILE(max, 2, hn::IfThenElse(hn::IsNaN(a), a, hn::IfThenElse(hn::IsNaN(b), b, hn::Max(a, b))))
FOVEA_TILE(min, 2, hn::IfThenElse(hn::IsNaN(a), a, hn::IfThenElse(hn::IsNaN(b), b, hn::Min(a, b))))
#undef FOVEA_TILE

/// boolean ? a : b, booleans as bytes.
void tile_select(const void* const* operands, void* result, std::int64_t n) {
  const F32 d;
  const hn::RebindToSigned<F32> di;
  const hn::Rebind<std::uint8_t, F32> du8;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  const auto* c = static_cast<const std::uint8_t*>(operands[0]);
  const float *a = static_cast<const float*>(operands[1]), *b = static_cast<const float*>(operands[2]);
  float* y = static_cast<float*>(result);
  std::int64_t i = 0;
  for (; i + lanes <= n; i += lanes) {
    const auto condition = hn::RebindMask(d, hn::Ne(hn::PromoteTo(di, hn::LoadU(du8, c + i)), hn::Zero(di)));
    hn::StoreU(hn::IfThenElse(condition, hn::LoadU(d, a + i), hn::LoadU(d, b + i)), d, y + i);
  }
  for (; i < n; ++i) y[i] = c[i] ? a[i] : b[i];
}

template <class Narrow>
void tile_widen(const void* const* operands, void* result, std::int64_t n) {
  const F32 d;
  const hn::Rebind<Narrow, F32> dn;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  const auto* x = static_cast<const Narrow*>(operands[0]);
  float* y = static_cast<float*>(result);
  std::int64_t i = 0;
  for (; i + lanes <= n; i += lanes) hn::StoreU(hn::PromoteTo(d, hn::LoadU(dn, x + i)), d, y + i);
  if (i == n) return;
  Narrow tail[hn::MaxLanes(d)] = {};
  for (std::int64_t k = i; k < n; ++k) tail[k - i] = x[k];
  HWY_ALIGN float wide[hn::MaxLanes(d)];
  hn::Store(hn::PromoteTo(d, hn::LoadU(dn, tail)), d, wide);
  for (std::int64_t k = i; k < n; ++k) y[k] = wide[k - i];
}

void tile_to_f16(const void* const* operands, void* result, std::int64_t n) {
  const F32 d;
  const hn::Rebind<hwy::float16_t, F32> dn;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  const float* x = static_cast<const float*>(operands[0]);
  auto* y = static_cast<hwy::float16_t*>(result);
  std::int64_t i = 0;
  for (; i + lanes <= n; i += lanes) hn::StoreU(hn::DemoteTo(dn, hn::LoadU(d, x + i)), dn, y + i);
  if (i == n) return;
  HWY_ALIGN float tail[hn::MaxLanes(d)] = {};
  hwy::float16_t narrow[hn::MaxLanes(d)];
  for (std::int64_t k = i; k < n; ++k) tail[k - i] = x[k];
  hn::StoreU(hn::DemoteTo(dn, hn::Load(d, tail)), dn, narrow);
  for (std::int64_t k = i; k < n; ++k) y[k] = narrow[k - i];
}

/// Comparisons to bytes 0 and 1.
template <class Compare>
HWY_INLINE void compare_f32(const void* const* operands, void* result, std::int64_t n, Compare compare) {
  const F32 d;
  const hn::RebindToSigned<F32> di;
  const hn::Rebind<std::uint8_t, F32> du8;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  const float *a = static_cast<const float*>(operands[0]), *b = static_cast<const float*>(operands[1]);
  auto* y = static_cast<std::uint8_t*>(result);
  const auto one_if = [&](auto mask) HWY_ATTR { return hn::DemoteTo(du8, hn::IfThenElseZero(hn::RebindMask(di, mask), hn::Set(di, 1))); };
  std::int64_t i = 0;
  for (; i + lanes <= n; i += lanes) hn::StoreU(one_if(compare(hn::LoadU(d, a + i), hn::LoadU(d, b + i))), du8, y + i);
  if (i == n) return;
  HWY_ALIGN float ta[hn::MaxLanes(d)] = {}, tb[hn::MaxLanes(d)] = {};
  std::uint8_t ty[hn::MaxLanes(d)];
  for (std::int64_t k = i; k < n; ++k) ta[k - i] = a[k], tb[k - i] = b[k];
  hn::StoreU(one_if(compare(hn::Load(d, ta), hn::Load(d, tb))), du8, ty);
  for (std::int64_t k = i; k < n; ++k) y[k] = ty[k - i];
}
void tile_less(const void* const* operands, void* result, std::int64_t n) {
  compare_f32(operands, result, n, [](auto a, auto b) HWY_ATTR { return hn::Lt(a, b); });
}
void tile_less_or_equal(const void* const* operands, void* result, std::int64_t n) {
  compare_f32(operands, result, n, [](auto a, auto b) HWY_ATTR { return hn::Le(a, b); });
}
void tile_equal(const void* const* operands, void* result, std::int64_t n) {
  compare_f32(operands, result, n, [](auto a, auto b) HWY_ATTR { return hn::Eq(a, b); });
}

/// f32 from 8-bit and 32-bit integers.
template <class Integer>
void tile_from_integer(const void* const* operands, void* result, std::int64_t n) {
  const F32 d;
  const hn::RebindToSigned<F32> di;
  const hn::Rebind<Integer, F32> dn;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  const auto* x = static_cast<const Integer*>(operands[0]);
  float* y = static_cast<float*>(result);
  std::int64_t i = 0;
  for (; i + lanes <= n; i += lanes) hn::StoreU(hn::ConvertTo(d, hn::PromoteTo(di, hn::LoadU(dn, x + i))), d, y + i);
  for (; i < n; ++i) y[i] = static_cast<float>(x[i]);
}

/// f32 to 8-bit integers: truncated, then the low byte, as the reference wraps.
template <class Integer>
void tile_to_integer(const void* const* operands, void* result, std::int64_t n) {
  const F32 d;
  const hn::RebindToSigned<F32> di;
  const hn::Rebind<Integer, F32> dn;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  const float* x = static_cast<const float*>(operands[0]);
  auto* y = static_cast<Integer*>(result);
  const auto low_byte = [&](auto v) HWY_ATTR {
    if constexpr (std::is_signed_v<Integer>) return hn::DemoteTo(dn, hn::ShiftRight<24>(hn::ShiftLeft<24>(v)));
    else return hn::DemoteTo(dn, hn::And(v, hn::Set(di, 255)));
  };
  std::int64_t i = 0;
  for (; i + lanes <= n; i += lanes) hn::StoreU(low_byte(hn::ConvertTo(di, hn::LoadU(d, x + i))), dn, y + i);
  if (i == n) return;
  HWY_ALIGN float tail[hn::MaxLanes(d)] = {};
  Integer narrow[hn::MaxLanes(d)];
  for (std::int64_t k = i; k < n; ++k) tail[k - i] = x[k];
  hn::StoreU(low_byte(hn::ConvertTo(di, hn::Load(d, tail))), dn, narrow);
  for (std::int64_t k = i; k < n; ++k) y[k] = narrow[k - i];
}

TileFunction find(PointwiseOp op, DataType operand, DataType type) {
#if HWY_TARGET != HWY_SCALAR && HWY_TARGET != HWY_EMU128
  if (op == PointwiseOp::Cast) {
    if (operand == DataType::f16 && type == DataType::f32) return tile_widen<hwy::float16_t>;
    if (operand == DataType::bf16 && type == DataType::f32) return tile_widen<hwy::bfloat16_t>;
    if (operand == DataType::f32 && type == DataType::f16) return tile_to_f16;
    if (operand == DataType::u8 && type == DataType::f32) return tile_from_integer<std::uint8_t>;
    if (operand == DataType::i8 && type == DataType::f32) return tile_from_integer<std::int8_t>;
    if (operand == DataType::f32 && type == DataType::u8) return tile_to_integer<std::uint8_t>;
    if (operand == DataType::f32 && type == DataType::i8) return tile_to_integer<std::int8_t>;
    return nullptr;
  }
  if (operand == DataType::f32 && type == DataType::boolean) {
    if (op == PointwiseOp::Less) return tile_less;
    if (op == PointwiseOp::LessOrEqual) return tile_less_or_equal;
    if (op == PointwiseOp::Equal) return tile_equal;
  }
#endif
  if (op == PointwiseOp::Select) return type == DataType::f32 ? tile_select : nullptr;
  if (operand != DataType::f32 || type != DataType::f32) return nullptr;
  switch (op) {
    case PointwiseOp::Abs: return tile_abs;
    case PointwiseOp::Ceil: return tile_ceil;
    case PointwiseOp::Erf: return tile_erf;
    case PointwiseOp::Exp: return tile_exp;
    case PointwiseOp::Floor: return tile_floor;
    case PointwiseOp::Log: return tile_log;
    case PointwiseOp::Neg: return tile_neg;
    case PointwiseOp::Reciprocal: return tile_reciprocal;
    case PointwiseOp::Relu: return tile_relu;
    case PointwiseOp::Round: return tile_round;
    case PointwiseOp::Sigmoid: return tile_sigmoid;
    case PointwiseOp::Softplus: return tile_softplus;
    case PointwiseOp::Sqrt: return tile_sqrt;
    case PointwiseOp::Tanh: return tile_tanh;
    case PointwiseOp::Add: return tile_add;
    case PointwiseOp::Sub: return tile_sub;
    case PointwiseOp::Mul: return tile_mul;
    case PointwiseOp::Div: return tile_div;
    case PointwiseOp::Max: return tile_max;
    case PointwiseOp::Min: return tile_min;
    default: return nullptr;
  }
}

}  // namespace fovea::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace fovea::cpu {

HWY_EXPORT(find);

TileFunction simd_tile_function(PointwiseOp op, DataType operand, DataType type) { return HWY_DYNAMIC_DISPATCH(find)(op, operand, type); }

}  // namespace fovea::cpu
#endif
