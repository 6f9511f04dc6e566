// SPDX-License-Identifier: Apache-2.0
#include "backends/cpu/kit/simd_targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "backends/cpu/kit/row_ops.cpp"
#include "hwy/foreach_target.h"
//
#include "backends/cpu/kit/row_ops.h"
#include "backends/cpu/kit/simd_math-inl.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace fovea::cpu::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;
using F32 = hn::ScalableTag<float>;
constexpr F32 kF32;

/// Two accumulators hide the latency of the addition; the tail is scalar.
template <class Vector, class Scalar, class Combine>
HWY_INLINE float reduce(const float* x, std::int64_t n, float start, Vector vector, Scalar scalar, Combine combine) {
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(kF32));
  auto a = hn::Set(kF32, start), b = hn::Set(kF32, start);
  std::int64_t i = 0;
  for (; i + 2 * lanes <= n; i += 2 * lanes) {
    a = vector(a, hn::LoadU(kF32, x + i));
    b = vector(b, hn::LoadU(kF32, x + i + lanes));
  }
  if (i + lanes <= n) a = vector(a, hn::LoadU(kF32, x + i)), i += lanes;
  float result = combine(a, b);
  for (; i < n; ++i) result = scalar(result, x[i]);
  return result;
}

float max(const float* x, std::int64_t n) {
  return reduce(x, n, x[0], [](auto a, auto v) HWY_ATTR { return hn::Max(a, v); }, [](float a, float v) { return a > v ? a : v; },
                [](auto a, auto b) HWY_ATTR { return hn::GetLane(hn::MaxOfLanes(kF32, hn::Max(a, b))); });
}

float sum(const float* x, std::int64_t n) {
  return reduce(x, n, 0, [](auto a, auto v) HWY_ATTR { return hn::Add(a, v); }, [](float a, float v) { return a + v; },
                [](auto a, auto b) HWY_ATTR { return hn::GetLane(hn::SumOfLanes(kF32, hn::Add(a, b))); });
}

float sum_squares(const float* x, float offset, std::int64_t n) {
  return reduce(x, n, 0,
                [offset](auto a, auto v) HWY_ATTR {
                  const auto d = hn::Sub(v, hn::Set(kF32, offset));
                  return hn::MulAdd(d, d, a);
                },
                [offset](float a, float v) { return a + (v - offset) * (v - offset); },
                [](auto a, auto b) HWY_ATTR { return hn::GetLane(hn::SumOfLanes(kF32, hn::Add(a, b))); });
}

/// y[i] = function(x[i], p[i], q[i]); the tail goes through buffers. Null p and q are read as x.
template <class Function>
HWY_INLINE void map(const float* x, const float* p, const float* q, float* y, std::int64_t n, Function function) {
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(kF32));
  if (!p) p = x;
  if (!q) q = x;
  std::int64_t i = 0;
  for (; i + lanes <= n; i += lanes) hn::StoreU(function(hn::LoadU(kF32, x + i), hn::LoadU(kF32, p + i), hn::LoadU(kF32, q + i)), kF32, y + i);
  if (i == n) return;
  HWY_ALIGN float tx[hn::MaxLanes(kF32)] = {}, tp[hn::MaxLanes(kF32)] = {}, tq[hn::MaxLanes(kF32)] = {};
  for (std::int64_t k = i; k < n; ++k) tx[k - i] = x[k], tp[k - i] = p[k], tq[k - i] = q[k];
  const auto last = function(hn::Load(kF32, tx), hn::Load(kF32, tp), hn::Load(kF32, tq));
  hn::Store(last, kF32, tx);
  for (std::int64_t k = i; k < n; ++k) y[k] = tx[k - i];
}

float exp_shifted(const float* x, float shift, float* y, std::int64_t n) {
  map(x, nullptr, nullptr, y, n, [shift](auto v, auto, auto) HWY_ATTR { return exp_f32(kF32, hn::Sub(v, hn::Set(kF32, shift))); });
  return sum(y, n);
}

void scale(const float* x, float factor, float* y, std::int64_t n) {
  map(x, nullptr, nullptr, y, n, [factor](auto v, auto, auto) HWY_ATTR { return hn::Mul(v, hn::Set(kF32, factor)); });
}

void normalise(const float* x, float mean, float inverse, const float* gamma, const float* beta, float* y, std::int64_t n) {
  const auto unit = [mean, inverse](auto v) HWY_ATTR { return hn::Mul(hn::Sub(v, hn::Set(kF32, mean)), hn::Set(kF32, inverse)); };
  if (gamma && beta) map(x, gamma, beta, y, n, [=](auto v, auto g, auto b) HWY_ATTR { return hn::MulAdd(unit(v), g, b); });
  else if (gamma) map(x, gamma, nullptr, y, n, [=](auto v, auto g, auto) HWY_ATTR { return hn::Mul(unit(v), g); });
  else if (beta) map(x, nullptr, beta, y, n, [=](auto v, auto, auto b) HWY_ATTR { return hn::Add(unit(v), b); });
  else map(x, nullptr, nullptr, y, n, [=](auto v, auto, auto) HWY_ATTR { return unit(v); });
}

void max_into(float* a, const float* x, std::int64_t n) {
  map(a, x, nullptr, a, n, [](auto v, auto w, auto) HWY_ATTR { return hn::Max(v, w); });
}
void min_into(float* a, const float* x, std::int64_t n) {
  map(a, x, nullptr, a, n, [](auto v, auto w, auto) HWY_ATTR { return hn::Min(v, w); });
}
void add_into(float* a, const float* x, std::int64_t n) {
  map(a, x, nullptr, a, n, [](auto v, auto w, auto) HWY_ATTR { return hn::Add(v, w); });
}
void add_squares_into(float* a, const float* x, std::int64_t n) {
  map(a, x, nullptr, a, n, [](auto v, auto w, auto) HWY_ATTR { return hn::MulAdd(w, w, v); });
}
void exp_columns(const float* x, const float* shift, float* y, std::int64_t n) {
  map(x, shift, nullptr, y, n, [](auto v, auto s, auto) HWY_ATTR { return exp_f32(kF32, hn::Sub(v, s)); });
}
void divide_columns(float* y, const float* divisor, std::int64_t n) {
  map(y, divisor, nullptr, y, n, [](auto v, auto d, auto) HWY_ATTR { return hn::Div(v, d); });
}

const RowOps* table() {
  static const RowOps ops = {max,      sum,      sum_squares, exp_shifted,      scale,       normalise,
                             max_into, min_into, add_into,    add_squares_into, exp_columns, divide_columns};
  return &ops;
}

}  // namespace fovea::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace fovea::cpu {

HWY_EXPORT(table);

const RowOps& row_ops() { return *HWY_DYNAMIC_DISPATCH(table)(); }

}  // namespace fovea::cpu
#endif
