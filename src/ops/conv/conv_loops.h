// SPDX-License-Identifier: Apache-2.0
// The plain loops of a convolution, shared by the float and the integer operators. Rows of output are summed
// in accumulators of type Acc; the order of additions does not depend on the number of threads.
#pragma once

#include <algorithm>

#include "ops/conv/conv_params.h"

namespace fovea::ops {

/// A convolution with 1-wide unpadded windows treats all spatial axes alike: one long row.
inline std::vector<WindowAxis> merge_pointwise(std::vector<WindowAxis> axes) {
  WindowAxis row;
  for (const WindowAxis& axis : axes) {
    if (axis.kernel != 1 || axis.stride != 1 || axis.input != axis.output || axis.pad_begin != 0) return axes;
    row.input *= axis.input;
  }
  row.output = row.input;
  return {row};
}

/// Multiplications below which waking threads costs more than it saves.
inline constexpr double kParallelWork = 1 << 16;

/// y[n, oc, o] = sum over ic, k of w[oc, ic, k] * x[n, group's ic, o * stride - pad + k * dilation], padding being 0.
/// Hands each finished row to emit(oc, index of its first element in y, accumulators, length).
template <class Acc, class T, class Emit>
void convolve(const ConvGeometry& geometry, const T* x, const T* weights, const Emit& emit) {
  const std::vector<WindowAxis> axes = as_three_axes(merge_pointwise(geometry.axes));
  const WindowAxis &d = axes[0], &h = axes[1], &w = axes[2];
  const std::int64_t channel = d.input * h.input * w.input, taps = d.kernel * h.kernel * w.kernel;
  const std::int64_t ics = geometry.ic_per_group(), ocs = geometry.oc_per_group();
  const double work = static_cast<double>(geometry.batch * geometry.oc) * static_cast<double>(ics * taps) * static_cast<double>(d.output * h.output * w.output);

  std::vector<TapRange> ranges;
  for (std::int64_t kw = 0; kw < w.kernel; ++kw) ranges.push_back(tap_range(w, kw));

#pragma omp parallel for collapse(2) schedule(static) if (work > kParallelWork)
  for (std::int64_t n = 0; n < geometry.batch; ++n) {
    for (std::int64_t oc = 0; oc < geometry.oc; ++oc) {
      std::vector<Acc> row(static_cast<std::size_t>(w.output));
      Acc* const sums = row.data();
      const T* const first_channel = x + (n * geometry.ic + oc / ocs * ics) * channel;
      for (std::int64_t od = 0; od < d.output; ++od) {
        for (std::int64_t oh = 0; oh < h.output; ++oh) {
          std::fill(row.begin(), row.end(), Acc(0));
          for (std::int64_t ic = 0; ic < ics; ++ic) {
            const T* const filter = weights + (oc * ics + ic) * taps;
            for (std::int64_t kd = 0; kd < d.kernel; ++kd) {
              const std::int64_t id = od * d.stride - d.pad_begin + kd * d.dilation;
              if (id < 0 || id >= d.input) continue;
              for (std::int64_t kh = 0; kh < h.kernel; ++kh) {
                const std::int64_t ih = oh * h.stride - h.pad_begin + kh * h.dilation;
                if (ih < 0 || ih >= h.input) continue;
                const T* const src = first_channel + ic * channel + (id * h.input + ih) * w.input;
                for (std::int64_t kw = 0; kw < w.kernel; ++kw) {
                  const Acc weight = static_cast<Acc>(filter[(kd * h.kernel + kh) * w.kernel + kw]);
                  const TapRange range = ranges[static_cast<std::size_t>(kw)];
                  if (w.stride == 1) {
#pragma omp simd
                    for (std::int64_t ow = range.begin; ow < range.end; ++ow) sums[ow] += weight * static_cast<Acc>(src[ow + range.offset]);
                  } else {
                    for (std::int64_t ow = range.begin; ow < range.end; ++ow) {
                      sums[ow] += weight * static_cast<Acc>(src[ow * w.stride + range.offset]);
                    }
                  }
                }
              }
            }
          }
          emit(oc, (((n * geometry.oc + oc) * d.output + od) * h.output + oh) * w.output, sums, w.output);
        }
      }
    }
  }
}

}  // namespace fovea::ops
