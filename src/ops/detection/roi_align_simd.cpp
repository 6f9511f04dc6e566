// SPDX-License-Identifier: Apache-2.0
// RoiAlign's mean: rows are summed first, in vectors along columns (nchw) or channels (nhwc), then columns.
#include "backends/cpu/kit/simd_targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ops/detection/roi_align_simd.cpp"
#include "hwy/foreach_target.h"
//
#include <algorithm>

#include "hwy/highway.h"
#include "ops/detection/roi_align_taps.h"

HWY_BEFORE_NAMESPACE();
namespace fovea::cpu::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;
using F32 = hn::CappedTag<float, 16>;
using I32 = hn::RebindToSigned<F32>;
using Cells = hn::CappedTag<float, 8>;
constexpr F32 kF32;
constexpr I32 kI32;
constexpr Cells kCells;

/// sums[ph][j] = sum over rows of weight * plane[row][column j].
HWY_INLINE void sum_rows(const PlaneWeights& w, const float* plane) {
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(kF32));
  const std::int64_t pitch = w.padded_count();
  for (std::int64_t ph = 0; ph < w.output_height; ++ph) {
    float* const sums = w.sums + ph * pitch;
    const std::int32_t begin = w.rows.begin[ph], end = w.rows.begin[ph + 1];
    for (std::int64_t j = 0; j < w.count; j += lanes) {
      auto sum = hn::Zero(kF32);
      if (w.listed) {
        const auto columns = hn::LoadU(kI32, w.read + j);
        for (std::int32_t k = begin; k < end; ++k) {
          sum = hn::MulAdd(hn::Set(kF32, w.rows.weight[k]),
                           hn::GatherIndex(kF32, plane + w.rows.index[k] * w.width, columns), sum);
        }
      } else {
        const float* const at = plane + w.read[0] + j;
        for (std::int32_t k = begin; k < end; ++k)
          sum = hn::MulAdd(hn::Set(kF32, w.rows.weight[k]), hn::LoadU(kF32, at + w.rows.index[k] * w.width), sum);
      }
      hn::StoreU(sum, kF32, sums + j);
    }
  }
}

bool align_plane(const PlaneWeights& w, const float* plane, float* y) {
  sum_rows(w, plane);
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(kCells));
  // Where a row is one vector, it may run over into the next, which is written later.
  const float* const end = y + w.output_height * w.output_width;
  const bool one_vector = w.output_width <= lanes;
  const std::int64_t pitch = w.padded_count(), dense_pitch = w.padded_width();
  auto nan = hn::Zero(kCells);
  for (std::int64_t p = 0; p < w.output_width; p += lanes) {
    const std::int64_t room = std::min(lanes, w.output_width - p);
    const auto store = [&](auto v, float* to) HWY_ATTR {
      if (room == lanes || (one_vector && to + lanes <= end)) {
        hn::StoreU(v, kCells, to);
        return;
      }
      HWY_ALIGN float buffer[hn::MaxLanes(kCells)];
      hn::Store(v, kCells, buffer);
      std::copy_n(buffer, room, to);
    };
    for (std::int64_t ph = 0; ph < w.output_height; ph += 4) {
      // Rows past the last repeat it.
      const std::int64_t last = w.output_height - 1;
      const float *s0 = w.sums + ph * pitch, *s1 = w.sums + std::min(ph + 1, last) * pitch,
                  *s2 = w.sums + std::min(ph + 2, last) * pitch, *s3 = w.sums + std::min(ph + 3, last) * pitch;
      auto a0 = hn::Zero(kCells), a1 = a0, a2 = a0, a3 = a0;
      for (std::int64_t j = 0; j < w.count; ++j) {
        const auto weights = hn::LoadU(kCells, w.dense + j * dense_pitch + p);
        a0 = hn::MulAdd(hn::Set(kCells, s0[j]), weights, a0);
        a1 = hn::MulAdd(hn::Set(kCells, s1[j]), weights, a1);
        a2 = hn::MulAdd(hn::Set(kCells, s2[j]), weights, a2);
        a3 = hn::MulAdd(hn::Set(kCells, s3[j]), weights, a3);
      }
      // x - x is 0, or NaN for what is not finite.
      const auto odd = hn::Add(hn::Add(hn::Sub(a0, a0), hn::Sub(a1, a1)), hn::Add(hn::Sub(a2, a2), hn::Sub(a3, a3)));
      nan = hn::Add(nan, odd);
      float* const to = y + ph * w.output_width + p;
      store(a0, to);
      if (ph + 1 <= last) store(a1, to + w.output_width);
      if (ph + 2 <= last) store(a2, to + 2 * w.output_width);
      if (ph + 3 <= last) store(a3, to + 3 * w.output_width);
    }
  }
  return hn::AllFalse(kCells, hn::IsNaN(nan));
}

/// As many channels as D has lanes.
template <class D>
HWY_INLINE void channel_block(D d, const PlaneWeights& w, const float* image, std::int64_t row, std::int64_t column,
                              float* y, std::int64_t y_row, std::int64_t y_column, float* sums) {
  for (std::int64_t ph = 0; ph < w.output_height; ++ph) {
    const std::int32_t begin = w.rows.begin[ph], end = w.rows.begin[ph + 1];
    for (std::int64_t j = 0; j < w.count; ++j) {
      const std::int64_t x = w.listed ? w.read[j] : w.read[0] + j;
      const float* const at = image + x * column;
      auto sum = hn::Zero(d);
      for (std::int32_t k = begin; k < end; ++k)
        sum = hn::MulAdd(hn::Set(d, w.rows.weight[k]), hn::LoadU(d, at + w.rows.index[k] * row), sum);
      hn::StoreU(sum, d, sums + x * 16);
    }
    for (std::int64_t pw = 0; pw < w.output_width; ++pw) {
      auto cell = hn::Zero(d);
      for (std::int32_t k = w.columns.begin[pw]; k < w.columns.begin[pw + 1]; ++k) {
        cell = hn::MulAdd(hn::Set(d, w.columns.weight[k]), hn::LoadU(d, sums + w.columns.index[k] * std::int64_t{16}),
                          cell);
      }
      hn::StoreU(cell, d, y + ph * y_row + pw * y_column);
    }
  }
}

void align_pixels(const PlaneWeights& w, const float* image, std::int64_t channels, std::int64_t row,
                  std::int64_t column, float* y, std::int64_t y_row, std::int64_t y_column, float* sums) {
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(kF32));
  if (channels < lanes) {
    const hn::CappedTag<float, 1> one;
    for (std::int64_t c = 0; c < channels; ++c)
      channel_block(one, w, image + c, row, column, y + c, y_row, y_column, sums);
    return;
  }
  for (std::int64_t c = 0; c < channels; c += lanes) {
    const std::int64_t at = std::min(c, channels - lanes);  // the last block may repeat some
    channel_block(kF32, w, image + at, row, column, y + at, y_row, y_column, sums);
  }
}

const RoiAlignFunctions* roi_align_table() {
  static const RoiAlignFunctions table = {align_plane, align_pixels};
  return &table;
}

}  // namespace fovea::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace fovea::cpu {

HWY_EXPORT(roi_align_table);

const RoiAlignFunctions& roi_align_functions() { return *HWY_DYNAMIC_DISPATCH(roi_align_table)(); }

}  // namespace fovea::cpu
#endif
