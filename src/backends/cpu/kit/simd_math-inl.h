// SPDX-License-Identifier: Apache-2.0
// Elementary functions on f32 vectors, compiled once per instruction set. NaN stays NaN; errors against double are
// at most 4 units in the last place over the whole range (tests/ops/pointwise_cpu_test.cpp sweeps it).
// The polynomials are minimax fits on the stated intervals, made for this file.
#if defined(FOVEA_SIMD_MATH_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef FOVEA_SIMD_MATH_INL
#undef FOVEA_SIMD_MATH_INL
#else
#define FOVEA_SIMD_MATH_INL
#endif

#include <limits>

#include "hwy/contrib/math/math-inl.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace fovea::cpu::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

/// exp(x) = 2^n (1 + r + r^2 p(r)) with n = round(x / ln 2), |r| <= ln 2 / 2.
template <class D, class V>
HWY_INLINE V exp_f32(D d, V x) {
  const hn::RebindToSigned<D> di;
  // Beyond these the result is infinity or zero anyway; clamping keeps 2^n in two finite halves.
  const V clamped = hn::Max(hn::Min(x, hn::Set(d, 89.0f)), hn::Set(d, -105.0f));
  const V n = hn::Round(hn::Mul(clamped, hn::Set(d, 1.44269504f)));
  V r = hn::NegMulAdd(n, hn::Set(d, 0.693359375f), clamped);
  r = hn::NegMulAdd(n, hn::Set(d, -2.12194440e-4f), r);
  V p = hn::MulAdd(hn::Set(d, 0x1.6db44ep-10f), r, hn::Set(d, 0x1.123b72p-7f));
  p = hn::MulAdd(p, r, hn::Set(d, 0x1.55545ep-5f));
  p = hn::MulAdd(p, r, hn::Set(d, 0x1.55548ep-3f));
  p = hn::MulAdd(p, r, hn::Set(d, 0.5f));
  p = hn::Add(hn::MulAdd(hn::Mul(r, r), p, r), hn::Set(d, 1.0f));
  // 2^n in two factors, so that n = 128 and subnormal results work.
  const auto whole = hn::ConvertTo(di, n);
  const auto half = hn::ShiftRight<1>(whole);
  const auto bias = hn::Set(di, 127);
  const V first = hn::BitCast(d, hn::ShiftLeft<23>(hn::Add(half, bias)));
  const V second = hn::BitCast(d, hn::ShiftLeft<23>(hn::Add(hn::Sub(whole, half), bias)));
  const V result = hn::Mul(hn::Mul(p, first), second);
  return hn::IfThenElse(hn::IsNaN(x), x, result);
}

/// exp(x) for x <= 80; 0 below -87, where exp_f32 still has numbers down to 1e-45. Half the work of exp_f32.
template <class D, class V>
HWY_INLINE V exp_bounded_f32(D d, V x) {
  const hn::RebindToSigned<D> di;
  const V whole = hn::Set(d, 0x1.8p23f);  // added to a small number it leaves its integer in the low bits
  const V shifted = hn::MulAdd(x, hn::Set(d, 1.44269504f), whole), n = hn::Sub(shifted, whole);
  V r = hn::NegMulAdd(n, hn::Set(d, 0.693359375f), x);
  r = hn::NegMulAdd(n, hn::Set(d, -2.12194440e-4f), r);
  V p = hn::MulAdd(hn::Set(d, 0x1.6db44ep-10f), r, hn::Set(d, 0x1.123b72p-7f));
  p = hn::MulAdd(p, r, hn::Set(d, 0x1.55545ep-5f));
  p = hn::MulAdd(p, r, hn::Set(d, 0x1.55548ep-3f));
  p = hn::MulAdd(p, r, hn::Set(d, 0.5f));
  p = hn::MulAdd(hn::MulAdd(p, r, hn::Set(d, 1.0f)), r, hn::Set(d, 1.0f));
  const V result = hn::BitCast(d, hn::Add(hn::BitCast(di, p), hn::ShiftLeft<23>(hn::BitCast(di, shifted))));
  return hn::IfThenZeroElse(hn::Lt(x, hn::Set(d, -87.0f)), result);
}

/// 1 / (1 + exp(-x))
template <class D, class V>
HWY_INLINE V sigmoid_f32(D d, V x) {
  const V one = hn::Set(d, 1.0f);
  return hn::Div(one, hn::Add(one, exp_f32(d, hn::Neg(x))));
}

/// Odd polynomial below 0.63, 1 - 2 / (exp(2 |x|) + 1) above.
template <class D, class V>
HWY_INLINE V tanh_f32(D d, V x) {
  const V magnitude = hn::Abs(x);
  const V one = hn::Set(d, 1.0f), two = hn::Set(d, 2.0f);
  const V s = hn::Mul(x, x);
  V p = hn::MulAdd(hn::Set(d, -0x1.743304p-8f), s, hn::Set(d, 0x1.51ceb4p-6f));
  p = hn::MulAdd(p, s, hn::Set(d, -0x1.b8305ep-5f));
  p = hn::MulAdd(p, s, hn::Set(d, 0x1.1106d8p-3f));
  p = hn::MulAdd(p, s, hn::Set(d, -0x1.555532p-2f));
  const V small = hn::MulAdd(hn::Mul(s, x), p, x);
  const V e = exp_f32(d, hn::Mul(two, magnitude));
  const V large = hn::CopySignToAbs(hn::Sub(one, hn::Div(two, hn::Add(e, one))), x);
  const V result = hn::IfThenElse(hn::Lt(magnitude, hn::Set(d, 0.63f)), small, large);
  return hn::IfThenElse(hn::IsNaN(x), x, result);
}

/// x + x p(x^2) below 0.93, 1 - exp(q(|x|)) above, where q fits log(erfc).
template <class D, class V>
HWY_INLINE V erf_f32(D d, V x) {
  const V magnitude = hn::Min(hn::Abs(x), hn::Set(d, 4.0f));
  const V one = hn::Set(d, 1.0f);
  const V s = hn::Mul(x, x);
  V p = hn::MulAdd(hn::Set(d, -0x1.33596ep-11f), s, hn::Set(d, 0x1.458d88p-8f));
  p = hn::MulAdd(p, s, hn::Set(d, -0x1.b64102p-6f));
  p = hn::MulAdd(p, s, hn::Set(d, 0x1.ce153cp-4f));
  p = hn::MulAdd(p, s, hn::Set(d, -0x1.8126c6p-2f));
  p = hn::MulAdd(p, s, hn::Set(d, 0x1.06eba4p-3f));
  const V small = hn::MulAdd(x, p, x);
  V q = hn::MulAdd(hn::Set(d, -0x1.61ea7cp-16f), magnitude, hn::Set(d, 0x1.c79120p-12f));
  q = hn::MulAdd(q, magnitude, hn::Set(d, -0x1.115ad0p-8f));
  q = hn::MulAdd(q, magnitude, hn::Set(d, 0x1.9b8e82p-6f));
  q = hn::MulAdd(q, magnitude, hn::Set(d, -0x1.bb83e6p-4f));
  q = hn::MulAdd(q, magnitude, hn::Set(d, -0x1.44460cp-1f));
  q = hn::MulAdd(q, magnitude, hn::Set(d, -0x1.2127e4p+0f));
  q = hn::MulAdd(q, magnitude, hn::Set(d, 0x1.6e56c8p-13f));
  const V large = hn::CopySignToAbs(hn::Sub(one, exp_f32(d, q)), x);
  const V result = hn::IfThenElse(hn::Lt(magnitude, hn::Set(d, 0.93f)), small, large);
  return hn::IfThenElse(hn::IsNaN(x), x, result);
}

/// log with IEEE's special values: log(0) = -inf, log(x < 0) = NaN, log(inf) = inf.
template <class D, class V>
HWY_INLINE V log_f32(D d, V x) {
  const V infinity = hn::Set(d, std::numeric_limits<float>::infinity());
  V result = hn::Log(d, x);
  result = hn::IfThenElse(hn::Eq(x, infinity), infinity, result);
  result = hn::IfThenElse(hn::Eq(x, hn::Zero(d)), hn::Neg(infinity), result);
  result = hn::IfThenElse(hn::Lt(x, hn::Zero(d)), hn::Set(d, std::numeric_limits<float>::quiet_NaN()), result);
  return hn::IfThenElse(hn::IsNaN(x), x, result);
}

/// log(1 + exp(x)) = max(x, 0) + log1p(exp(-|x|))
template <class D, class V>
HWY_INLINE V softplus_f32(D d, V x) {
  const V tail = hn::Log1p(d, exp_f32(d, hn::Neg(hn::Abs(x))));
  return hn::IfThenElse(hn::IsNaN(x), x, hn::Add(hn::Max(x, hn::Zero(d)), tail));
}

}  // namespace fovea::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
