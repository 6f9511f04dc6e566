// SPDX-License-Identifier: Apache-2.0
// MaxRoiPool: a region [batch, x1, y1, x2, y2], scaled and rounded to whole pixels (both ends inside, at least one
// pixel), is cut into pooled_shape cells with floor/ceil borders; an empty cell gives 0.
#include <algorithm>
#include <cmath>

#include "base/element_types.h"
#include "ops/conv/window.h"
#include "ops/widen.h"

namespace fovea::ops {

namespace {

/// Pixels begin..end-1 of cell `cell`, clipped to the map. Computed in float like the coordinates themselves.
struct Span {
  std::int64_t begin, end;
};
Span cell_span(float start, float cell_extent, std::int64_t cell, std::int64_t map_extent) {
  const float top = static_cast<float>(map_extent);
  const float begin = std::floor(static_cast<float>(cell) * cell_extent) + start;
  const float end = std::ceil(static_cast<float>(cell + 1) * cell_extent) + start;
  return {static_cast<std::int64_t>(std::clamp(begin, 0.0f, top)), static_cast<std::int64_t>(std::clamp(end, 0.0f, top))};
}

template <class T>
Status pool_regions(const Tensor& x, const Tensor& rois, float scale, std::int64_t cells_h, std::int64_t cells_w, T* y) {
  const std::int64_t channels = x.dim(1), height = x.dim(2), width = x.dim(3);
  for (std::int64_t r = 0; r < rois.dim(0); ++r) {
    const T* const roi = rois.data<T>() + r * 5;
    if (!(roi[0] >= 0 && roi[0] < static_cast<T>(x.dim(0)))) {
      return invalid_argument("rois: batch index ", roi[0], " of region ", r, " is outside 0..", x.dim(0) - 1);
    }
    const std::int64_t n = static_cast<std::int64_t>(roi[0]);
    const auto scaled = [&](int i) { return std::round(static_cast<float>(roi[i]) * scale); };
    const float x1 = scaled(1), y1 = scaled(2), x2 = scaled(3), y2 = scaled(4);
    if (!std::isfinite(x1) || !std::isfinite(y1) || !std::isfinite(x2) || !std::isfinite(y2)) {
      return invalid_argument("rois: region ", r, " has a coordinate that is not finite");
    }
    const float cell_h = std::max(y2 - y1 + 1, 1.0f) / static_cast<float>(cells_h);
    const float cell_w = std::max(x2 - x1 + 1, 1.0f) / static_cast<float>(cells_w);
    for (std::int64_t c = 0; c < channels; ++c) {
      const T* const src = x.data<T>() + (n * channels + c) * height * width;
      for (std::int64_t i = 0; i < cells_h; ++i) {
        const Span rows = cell_span(y1, cell_h, i, height);
        for (std::int64_t j = 0; j < cells_w; ++j) {
          const Span columns = cell_span(x1, cell_w, j, width);
          const bool empty = rows.begin >= rows.end || columns.begin >= columns.end;
          T best = empty ? T(0) : -std::numeric_limits<T>::infinity();
          for (std::int64_t h = rows.begin; h < rows.end; ++h) {
            for (std::int64_t w = columns.begin; w < columns.end; ++w) best = std::max(best, src[h * width + w]);
          }
          *y++ = best;
        }
      }
    }
  }
  return {};
}

}  // namespace

Status max_roi_pool_reference(KernelContext& context) {
  const Tensor& input = context.input(0);
  if (input.rank() != 4) return invalid_argument("input 0: expected rank 4, found ", input.shape().to_string());
  FOVEA_ASSIGN(const auto pooled, parse_ints(context.attributes(), "pooled_shape", 2, 1, 1));
  FOVEA_ASSIGN(const Tensor x, widened(input));
  FOVEA_ASSIGN(const Tensor rois, widened(context.input(1)));
  if (rois.rank() != 2 || rois.dim(1) != 5) return invalid_argument("rois: expected [regions, 5], found ", rois.shape().to_string());
  if (rois.type() != x.type()) return invalid_argument("rois: expected ", name(x.type()), " like input 0, found ", name(rois.type()));
  FOVEA_ASSIGN(WideOutput y, WideOutput::create(context, 0, input.type(), {rois.dim(0), x.dim(1), pooled[0], pooled[1]}));
  const float scale = static_cast<float>(context.attributes().get_float("spatial_scale", 1));
  FOVEA_RETURN_IF_ERROR((dispatch<float, double>(x.type(), "MaxRoiPool", [&](auto tag) -> Status {
    using T = typename decltype(tag)::type;
    return pool_regions(x, rois, scale, pooled[0], pooled[1], y.data<T>());
  })));
  return y.finish();
}

}  // namespace fovea::ops
