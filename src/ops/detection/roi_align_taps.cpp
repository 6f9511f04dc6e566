// SPDX-License-Identifier: Apache-2.0
#include "ops/detection/roi_align_taps.h"

#include <algorithm>
#include <cmath>

namespace fovea::cpu {

void AxisWeights::fill(const ops::RoiAxis& axis, std::int64_t cells, std::int64_t extent, double* line) const {
  const auto last = static_cast<double>(extent - 1);
  const double share = axis.samples > 0 ? 1.0 / static_cast<double>(axis.samples) : 0.0;
  std::int32_t count = 0;
  for (std::int64_t p = 0; p < cells; ++p) {
    begin[p] = count;
    if (axis.samples == 0) continue;
    std::int64_t low = extent, high = -1;
    const ops::RoiAxis::Range range = axis.near_map(p, extent);
    for (std::int64_t i = range.begin; i < range.end; ++i) {
      double at = axis.position(p, i);
      if (!(at >= -1 && at <= last + 1)) continue;
      at = std::clamp(at, 0.0, last);
      const auto whole = static_cast<std::int64_t>(at);
      const double rest = at - static_cast<double>(whole);
      line[whole] += 1 - rest;
      if (rest > 0) line[whole + 1] += rest;
      low = std::min(low, whole);
      high = std::max(high, whole + (rest > 0 ? 1 : 0));
    }
    for (std::int64_t x = low; x <= high; ++x) {
      if (line[x] > 0)
        index[count] = static_cast<std::int32_t>(x), weight[count++] = static_cast<float>(line[x] * share);
      line[x] = 0;
    }
  }
  begin[cells] = count;
}

void PlaneWeights::spread_columns(std::int32_t* slot) {
  const std::int32_t total = columns.begin[output_width];
  count = 0;
  listed = false;
  if (total == 0) return;
  const auto [low, high] = std::minmax_element(columns.index, columns.index + total);
  std::int64_t first = *low;
  const std::int64_t extent = *high - first + 1, vectors = (extent + 15) / 16 * 16;
  // Reading all columns in between is cheaper than gathering, unless few of them count. Whole vectors must lie in the
  // row.
  listed = vectors > width || extent > 2 * std::int64_t{total} + 16;
  if (listed) {
    std::fill_n(slot + first, extent, -1);
    for (std::int32_t k = 0; k < total; ++k) slot[columns.index[k]] = 0;
    for (std::int64_t x = first; x < first + extent; ++x) {
      if (slot[x] == 0) slot[x] = static_cast<std::int32_t>(count), read[count++] = static_cast<std::int32_t>(x);
    }
    std::fill(read + count, read + padded_count(), read[count - 1]);
  } else {
    first = std::min(first, width - vectors);
    read[0] = static_cast<std::int32_t>(first);
    count = *high + 1 - first;
  }
  const std::int64_t pitch = padded_width();
  std::fill_n(dense, count * pitch, 0.0f);
  for (std::int64_t pw = 0; pw < output_width; ++pw) {
    for (std::int32_t k = columns.begin[pw]; k < columns.begin[pw + 1]; ++k) {
      const std::int64_t j = listed ? slot[columns.index[k]] : columns.index[k] - first;
      dense[j * pitch + pw] = columns.weight[k];
    }
  }
}

}  // namespace fovea::cpu
