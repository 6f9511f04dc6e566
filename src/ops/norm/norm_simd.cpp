// SPDX-License-Identifier: Apache-2.0
#include "backends/cpu/kit/simd_targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ops/norm/norm_simd.cpp"
#include "hwy/foreach_target.h"
//
#include <algorithm>
#include <cmath>

#include "hwy/cache_control.h"
#include "hwy/highway.h"
#include "ops/norm/norm_loops.h"

HWY_BEFORE_NAMESPACE();
namespace fovea::cpu::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;
using F32 = hn::ScalableTag<float>;
using V = hn::Vec<F32>;
constexpr F32 kF32;

HWY_INLINE std::int64_t lanes() { return static_cast<std::int64_t>(hn::Lanes(kF32)); }

// The last vector of a row ends at its end, so it overlaps the one before; of a row shorter than a vector it is a
// buffer with the row at its end. Either way the row's remaining elements are the last lanes.
HWY_INLINE V load_last(const float* x, std::int64_t n) {
  if (n >= lanes()) return hn::LoadU(kF32, x + n - lanes());
  HWY_ALIGN float buffer[hn::MaxLanes(kF32)] = {};
  std::copy_n(x, n, buffer + lanes() - n);
  return hn::Load(kF32, buffer);
}

HWY_INLINE void store_last(V v, float* y, std::int64_t n) {
  if (n >= lanes()) return hn::StoreU(v, kF32, y + n - lanes());
  HWY_ALIGN float buffer[hn::MaxLanes(kF32)];
  hn::Store(v, kF32, buffer);
  std::copy_n(buffer + lanes() - n, n, y);
}

/// Zero in the lanes of a last vector that belong to the vectors before.
HWY_INLINE V only_rest(V v, std::int64_t rest) {
  return hn::IfThenZeroElse(hn::FirstN(kF32, static_cast<std::size_t>(lanes() - rest)), v);
}

HWY_INLINE float total(V v) { return hn::GetLane(hn::SumOfLanes(kF32, v)); }

/// Four accumulators hide the latency of the addition.
HWY_INLINE float sum(const float* x, std::int64_t n) {
  const std::int64_t step = lanes();
  V a = hn::Zero(kF32), b = a, c = a, d = a;
  std::int64_t i = 0;
  for (; i + 4 * step <= n; i += 4 * step) {
    a = hn::Add(a, hn::LoadU(kF32, x + i));
    b = hn::Add(b, hn::LoadU(kF32, x + i + step));
    c = hn::Add(c, hn::LoadU(kF32, x + i + 2 * step));
    d = hn::Add(d, hn::LoadU(kF32, x + i + 3 * step));
  }
  for (; i + step <= n; i += step) a = hn::Add(a, hn::LoadU(kF32, x + i));
  if (i < n) b = hn::Add(b, only_rest(load_last(x, n), n - i));
  return total(hn::Add(hn::Add(a, b), hn::Add(c, d)));
}

struct Differences {
  float sum, squares;
};

/// Of the differences from `offset`. The row is in the L1 cache by now, so the memory has time for the n numbers at
/// `next`.
HWY_INLINE Differences differences(const float* x, float offset, std::int64_t n, const float* next) {
  const std::int64_t step = lanes();
  const V o = hn::Set(kF32, offset);
  V s = hn::Zero(kF32), t = s, p = s, q = s;
  std::int64_t i = 0;
  for (; i + 2 * step <= n; i += 2 * step) {
    hwy::Prefetch(next + i);
    hwy::Prefetch(next + i + step);
    const V d = hn::Sub(hn::LoadU(kF32, x + i), o), e = hn::Sub(hn::LoadU(kF32, x + i + step), o);
    s = hn::Add(s, d), p = hn::MulAdd(d, d, p);
    t = hn::Add(t, e), q = hn::MulAdd(e, e, q);
  }
  if (i + step <= n) {
    const V d = hn::Sub(hn::LoadU(kF32, x + i), o);
    s = hn::Add(s, d), p = hn::MulAdd(d, d, p);
    i += step;
  }
  if (i < n) {
    const V d = only_rest(hn::Sub(load_last(x, n), o), n - i);
    t = hn::Add(t, d), q = hn::MulAdd(d, d, q);
  }
  return {total(hn::Add(s, t)), total(hn::Add(p, q))};
}

Moments moments(const float* x, std::int64_t n) {
  Moments all;
  for (std::int64_t first = 0; first < n; first += kMomentsBlock) {
    const std::int64_t count = std::min(kMomentsBlock, n - first);
    const bool more = first + count + kMomentsBlock <= n;
    const float rough = sum(x + first, count) / static_cast<float>(count);
    const auto d = differences(x + first, rough, count, x + first + (more ? count : 0));
    const double size = static_cast<double>(count), rest = d.sum / size;
    merge(all, {size, rough + rest, std::max(0.0, d.squares - d.sum * rest)});
  }
  return all;
}

/// y[i] = function(x[i], p[i], q[i]), vector by vector.
template <class Function>
HWY_INLINE void map(const float* x, const float* p, const float* q, float* y, std::int64_t n, Function function) {
  const std::int64_t step = lanes();
  std::int64_t i = 0;
  for (; i + step <= n; i += step) hn::StoreU(function(hn::LoadU(kF32, x + i), hn::LoadU(kF32, p + i), hn::LoadU(kF32, q + i)), kF32, y + i);
  if (i < n) store_last(function(load_last(x, n), load_last(p, n), load_last(q, n)), y, n);
}

HWY_INLINE V shifted(V x, float offset, float factor, float summand) {
  return hn::MulAdd(hn::Sub(x, hn::Set(kF32, offset)), hn::Set(kF32, factor), hn::Set(kF32, summand));
}

void scale_shift(const float* x, float offset, float factor, float summand, float* y, std::int64_t n) {
  map(x, x, x, y, n, [=](V v, V, V) HWY_ATTR { return shifted(v, offset, factor, summand); });
}

/// Mean as offset + rest.
struct Statistics {
  float offset = 0, rest = 0, variance = 0;
};

HWY_INLINE Statistics statistics(const float* x, std::int64_t n, bool centred, const float* next) {
  const auto count = static_cast<float>(n);
  if (!centred) {
    double squares = 0;
    for (std::int64_t first = 0; first < n; first += kMomentsBlock) {
      const std::int64_t count = std::min(kMomentsBlock, n - first);
      squares += differences(x + first, 0, count, x + first).squares;
    }
    return {0, 0, static_cast<float>(squares / static_cast<double>(n))};
  }
  if (n > kMomentsBlock) {
    const Moments m = moments(x, n);
    const auto offset = static_cast<float>(m.mean);
    return {offset, static_cast<float>(m.mean - offset), static_cast<float>(m.squares / m.count)};
  }
  const float rough = sum(x, n) / count;
  const auto d = differences(x, rough, n, next);
  const float rest = d.sum / count;
  return {rough, rest, std::max(d.squares / count - rest * rest, 0.0f)};
}

/// One loop for each combination of gamma and beta, so that short rows do not choose again and again.
template <bool kGamma, bool kBeta>
HWY_INLINE void normalise_rows(const RowNorm& norm, const float* x, float* y, float* means, float* inverses, std::int64_t rows) {
  for (std::int64_t row = 0; row < rows; ++row, x += norm.n, y += norm.n) {
    const Statistics s = statistics(x, norm.n, norm.centred, row + 1 < rows ? x + norm.n : x);
    const float inverse = 1 / std::sqrt(s.variance + norm.epsilon), rest = -s.rest * inverse;
    if (means) means[row] = s.offset + s.rest;
    if (inverses) inverses[row] = inverse;
    map(x, kGamma ? norm.gamma : x, kBeta ? norm.beta : x, y, norm.n, [&](V v, V gamma, V beta) HWY_ATTR {
      const V unit = shifted(v, s.offset, inverse, rest);
      if constexpr (kGamma && kBeta) return hn::MulAdd(unit, gamma, beta);
      else if constexpr (kGamma) return hn::Mul(unit, gamma);
      else if constexpr (kBeta) return hn::Add(unit, beta);
      else return unit;
    });
  }
}

void rows(const RowNorm& norm, const float* x, float* y, float* means, float* inverses, std::int64_t count) {
  if (norm.gamma && norm.beta) normalise_rows<true, true>(norm, x, y, means, inverses, count);
  else if (norm.gamma) normalise_rows<true, false>(norm, x, y, means, inverses, count);
  else if (norm.beta) normalise_rows<false, true>(norm, x, y, means, inverses, count);
  else normalise_rows<false, false>(norm, x, y, means, inverses, count);
}

/// vector(c) for whole vectors of columns, scalar(c) for the rest.
template <class Vector, class Scalar>
HWY_INLINE void for_columns(std::int64_t columns, Vector vector, Scalar scalar) {
  std::int64_t c = 0;
  for (; c + lanes() <= columns; c += lanes()) vector(c);
  for (; c < columns; ++c) scalar(c);
}

void merge_columns(const ColumnMoments& a, std::int64_t a_count, const ColumnMoments& b, std::int64_t b_count, std::int64_t columns) {
  const auto share = static_cast<float>(static_cast<double>(b_count) / static_cast<double>(a_count + b_count));
  const float weight = share * static_cast<float>(a_count);
  for_columns(
      columns,
      [&](std::int64_t c) HWY_ATTR {
        const V mean = hn::LoadU(kF32, a.mean + c);
        const V other = hn::Add(hn::Sub(hn::LoadU(kF32, b.offset + c), hn::LoadU(kF32, a.offset + c)), hn::LoadU(kF32, b.mean + c));
        const V difference = hn::Sub(other, mean);
        hn::StoreU(hn::MulAdd(difference, hn::Set(kF32, share), mean), kF32, a.mean + c);
        const V squares = hn::Add(hn::LoadU(kF32, a.squares + c), hn::LoadU(kF32, b.squares + c));
        hn::StoreU(hn::MulAdd(hn::Mul(difference, difference), hn::Set(kF32, weight), squares), kF32, a.squares + c);
      },
      [&](std::int64_t c) {
        const float difference = b.offset[c] - a.offset[c] + b.mean[c] - a.mean[c];
        a.mean[c] += difference * share;
        a.squares[c] += b.squares[c] + difference * difference * weight;
      });
}

/// One tile, which stays in the L1 cache. Positions are the outer loop, so that memory is first touched in its order.
void tile_moments(const float* x, std::int64_t positions, std::int64_t columns, const ColumnMoments& result) {
  const std::int64_t whole = positions / 4 * 4;
  const auto inverse = static_cast<float>(1.0 / static_cast<double>(positions));
  std::fill_n(result.offset, columns, 0.0f);
  std::fill_n(result.mean, columns, 0.0f);
  std::fill_n(result.squares, columns, 0.0f);
  const auto add = [&](const float* r, std::int64_t n) HWY_ATTR {
    for (std::int64_t c = 0; c < n; ++c) result.offset[c] += r[c];
  };
  for (std::int64_t p = 0; p < positions; p += p < whole ? 4 : 1) {
    const float* r = x + p * columns;
    if (p >= whole) {
      add(r, columns);
      continue;
    }
    const float *r1 = r + columns, *r2 = r1 + columns, *r3 = r2 + columns;
    for_columns(
        columns,
        [&](std::int64_t c) HWY_ATTR {
          const V upper = hn::Add(hn::LoadU(kF32, r + c), hn::LoadU(kF32, r1 + c)), lower = hn::Add(hn::LoadU(kF32, r2 + c), hn::LoadU(kF32, r3 + c));
          hn::StoreU(hn::Add(hn::LoadU(kF32, result.offset + c), hn::Add(upper, lower)), kF32, result.offset + c);
        },
        [&](std::int64_t c) { result.offset[c] += (r[c] + r1[c]) + (r2[c] + r3[c]); });
  }
  for (std::int64_t c = 0; c < columns; ++c) result.offset[c] *= inverse;
  // mean: sum of differences, squares: sum of their squares.
  for (std::int64_t p = 0; p < positions; p += p < whole ? 4 : 1) {
    const std::int64_t together = p < whole ? 4 : 1;
    const float* r = x + p * columns;
    for_columns(
        columns,
        [&](std::int64_t c) HWY_ATTR {
          const V o = hn::LoadU(kF32, result.offset + c);
          V s = hn::LoadU(kF32, result.mean + c), q = hn::LoadU(kF32, result.squares + c);
          for (std::int64_t k = 0; k < together; ++k) {
            const V d = hn::Sub(hn::LoadU(kF32, r + k * columns + c), o);
            s = hn::Add(s, d), q = hn::MulAdd(d, d, q);
          }
          hn::StoreU(s, kF32, result.mean + c);
          hn::StoreU(q, kF32, result.squares + c);
        },
        [&](std::int64_t c) {
          for (std::int64_t k = 0; k < together; ++k) {
            const float d = r[k * columns + c] - result.offset[c];
            result.mean[c] += d, result.squares[c] += d * d;
          }
        });
  }
  for (std::int64_t c = 0; c < columns; ++c) {
    const float difference = result.mean[c];
    result.mean[c] = difference * inverse;
    result.squares[c] = std::max(0.0f, result.squares[c] - difference * result.mean[c]);
  }
}

void column_moments(const float* x, std::int64_t positions, std::int64_t columns, float* work, const ColumnMoments& result) {
  const std::int64_t tile = std::max<std::int64_t>(4, kMomentsBlock / columns);
  const ColumnMoments part = {work, work + columns, work + 2 * columns};
  for (std::int64_t first = 0; first < positions; first += tile) {
    const std::int64_t count = std::min(tile, positions - first);
    tile_moments(x + first * columns, count, columns, first == 0 ? result : part);
    if (first > 0) merge_columns(result, first, part, count, columns);
  }
}

void scale_shift_columns(const float* x, const float* offset, const float* factor, const float* summand, float* y, std::int64_t positions,
                         std::int64_t columns) {
  for (std::int64_t p = 0; p < positions; ++p, x += columns, y += columns) {
    for_columns(
        columns,
        [&](std::int64_t c) HWY_ATTR {
          const V difference = hn::Sub(hn::LoadU(kF32, x + c), hn::LoadU(kF32, offset + c));
          hn::StoreU(hn::MulAdd(difference, hn::LoadU(kF32, factor + c), hn::LoadU(kF32, summand + c)), kF32, y + c);
        },
        [&](std::int64_t c) { y[c] = (x[c] - offset[c]) * factor[c] + summand[c]; });
  }
}

const NormLoops* loops() {
  static const NormLoops table = {moments, scale_shift, rows, column_moments, merge_columns, scale_shift_columns};
  return &table;
}

}  // namespace fovea::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace fovea::cpu {

HWY_EXPORT(loops);

const NormLoops& norm_loops() { return *HWY_DYNAMIC_DISPATCH(loops)(); }

}  // namespace fovea::cpu
#endif
