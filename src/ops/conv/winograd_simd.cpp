// SPDX-License-Identifier: Apache-2.0
#include "backends/cpu/kit/simd_targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ops/conv/winograd_simd.cpp"
#include "hwy/foreach_target.h"
//
#include "backends/cpu/kit/simd_math-inl.h"
#include "hwy/highway.h"
#include "ops/conv/winograd.h"

HWY_BEFORE_NAMESPACE();
namespace fovea::cpu::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;
using F32 = hn::ScalableTag<float>;
using VF = hn::Vec<F32>;

/// B^T of four numbers.
HWY_INLINE void input_line(VF& a, VF& b, VF& c, VF& e) {
  const VF first = hn::Sub(a, c), second = hn::Add(b, c), third = hn::Sub(c, b), fourth = hn::Sub(b, e);
  a = first, b = second, c = third, e = fourth;
}

void transform_input(const float* const* pixels, float* to, std::int64_t step, std::int64_t channels) {
  const F32 d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  for (std::int64_t i = 0; i < channels; i += lanes) {
    VF v[16];
#pragma GCC unroll 16
    for (int p = 0; p < 16; ++p) v[p] = hn::LoadU(d, pixels[p] + i);
#pragma GCC unroll 4
    for (int k = 0; k < 4; ++k) input_line(v[k], v[4 + k], v[8 + k], v[12 + k]);
#pragma GCC unroll 4
    for (int k = 0; k < 4; ++k) input_line(v[4 * k], v[4 * k + 1], v[4 * k + 2], v[4 * k + 3]);
#pragma GCC unroll 16
    for (int p = 0; p < 16; ++p) hn::StoreU(v[p], d, to + p * step + i);
  }
}

template <ActivationKind kind>
HWY_INLINE VF activated(VF x, const Activation& activation) {
  const F32 d;
  const VF alpha = hn::Set(d, activation.alpha), zero = hn::Zero(d);
  switch (kind) {
    case ActivationKind::Relu: return hn::IfThenElse(hn::Lt(x, zero), zero, x);
    case ActivationKind::Clip: {
      const VF beta = hn::Set(d, activation.beta);
      return hn::IfThenElse(hn::Lt(x, alpha), alpha, hn::IfThenElse(hn::Gt(x, beta), beta, x));
    }
    case ActivationKind::LeakyRelu: return hn::IfThenElse(hn::Lt(x, zero), hn::Mul(x, alpha), x);
    case ActivationKind::Silu: return hn::Div(x, hn::Add(hn::Set(d, 1.0f), exp_f32(d, hn::Neg(hn::Mul(alpha, x)))));
    default: return x;
  }
}

template <ActivationKind kind, Residual residual>
void finish(const float* from, std::int64_t step, const WinogradEnd& end, const float* const* addends, float* const* to, std::int64_t channels) {
  const F32 d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  for (std::int64_t i = 0; i < channels; i += lanes) {
    // A^T m A: first over rows of places, then along them
    VF s[2][4];
#pragma GCC unroll 4
    for (int k = 0; k < 4; ++k) {
      const VF a = hn::LoadU(d, from + k * step + i), b = hn::LoadU(d, from + (4 + k) * step + i);
      const VF c = hn::LoadU(d, from + (8 + k) * step + i), e = hn::LoadU(d, from + (12 + k) * step + i);
      s[0][k] = hn::Add(hn::Add(a, b), c);
      s[1][k] = hn::Sub(hn::Sub(b, c), e);
    }
    const VF bias = end.bias ? hn::LoadU(d, end.bias + i) : hn::Zero(d);
#pragma GCC unroll 4
    for (int p = 0; p < 4; ++p) {
      if (!to[p]) continue;
      const VF* const row = s[p / 2];
      VF y = p % 2 == 0 ? hn::Add(hn::Add(row[0], row[1]), row[2]) : hn::Sub(hn::Sub(row[1], row[2]), row[3]);
      y = hn::Add(y, bias);
      if constexpr (residual == Residual::Before) y = hn::Add(y, hn::LoadU(d, addends[p] + i));
      y = activated<kind>(y, end.activation);
      if constexpr (residual == Residual::After) y = hn::Add(y, hn::LoadU(d, addends[p] + i));
      hn::StoreU(y, d, to[p] + i);
    }
  }
}

template <ActivationKind kind>
void finish_with(const float* from, std::int64_t step, const WinogradEnd& end, const float* const* addends, float* const* to, std::int64_t channels) {
  switch (end.residual) {
    case Residual::None: return finish<kind, Residual::None>(from, step, end, addends, to, channels);
    case Residual::Before: return finish<kind, Residual::Before>(from, step, end, addends, to, channels);
    case Residual::After: return finish<kind, Residual::After>(from, step, end, addends, to, channels);
  }
}

void transform_output(const float* from, std::int64_t step, const WinogradEnd& end, const float* const* addends, float* const* to, std::int64_t channels) {
  switch (end.activation.kind) {
    case ActivationKind::Relu: return finish_with<ActivationKind::Relu>(from, step, end, addends, to, channels);
    case ActivationKind::Clip: return finish_with<ActivationKind::Clip>(from, step, end, addends, to, channels);
    case ActivationKind::LeakyRelu: return finish_with<ActivationKind::LeakyRelu>(from, step, end, addends, to, channels);
    case ActivationKind::Silu: return finish_with<ActivationKind::Silu>(from, step, end, addends, to, channels);
    default: return finish_with<ActivationKind::None>(from, step, end, addends, to, channels);
  }
}

}  // namespace

const WinogradOps* winograd_table() {
  static const WinogradOps table = {transform_input, transform_output};
  return &table;
}

}  // namespace fovea::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace fovea::cpu {

HWY_EXPORT(winograd_table);

const WinogradOps& winograd_ops() { return *HWY_DYNAMIC_DISPATCH(winograd_table)(); }

bool winograd_knows(ActivationKind kind) {
  return kind == ActivationKind::None || kind == ActivationKind::Relu || kind == ActivationKind::Clip || kind == ActivationKind::LeakyRelu || kind == ActivationKind::Silu;
}

void transform_filter(const float* filter, float* to) {
  constexpr double kG[4][3] = {{1, 0, 0}, {0.5, 0.5, 0.5}, {0.5, -0.5, 0.5}, {0, 0, 1}};
  for (int r = 0; r < 4; ++r) {
    for (int c = 0; c < 4; ++c) {
      double sum = 0;
      for (int i = 0; i < 3; ++i) {
        for (int j = 0; j < 3; ++j) sum += kG[r][i] * static_cast<double>(filter[i * 3 + j]) * kG[c][j];
      }
      to[r * 4 + c] = static_cast<float>(sum);
    }
  }
}

}  // namespace fovea::cpu
#endif
