// SPDX-License-Identifier: Apache-2.0
// The convolution of the float reference kernels, sums in f64: the loops of conv_loops.h as a matrix product, filters
// [oc, ic * taps] by windows [ic * taps, outputs], whose parts are gathered as they are needed.
#pragma once

#include <cmath>

#include "ops/conv/conv_loops.h"
#include "ops/matmul/wide_product.h"

namespace fovea::ops {

/// Row `p` = (channel, tap) of the windows of one batch entry and group: x under that tap, 0 in the padding.
template <class T>
class WindowRows {
 public:
  explicit WindowRows(const std::vector<WindowAxis>& axes) : d_(axes[0]), h_(axes[1]), w_(axes[2]) {
    for (std::int64_t kw = 0; kw < w_.kernel; ++kw) ranges_.push_back(tap_range(w_, kw));
  }

  /// dst[0 .. count) = the row's columns j .. j + count; `x` is the group's first channel.
  void fill(const T* x, std::int64_t p, std::int64_t j, std::int64_t count, double* dst) const {
    const std::int64_t kw = p % w_.kernel, kh = p / w_.kernel % h_.kernel, kd = p / (w_.kernel * h_.kernel) % d_.kernel;
    const T* const channel = x + p / (w_.kernel * h_.kernel * d_.kernel) * (d_.input * h_.input * w_.input);
    const TapRange range = ranges_[static_cast<std::size_t>(kw)];
    for (double* const end = dst + count; dst < end;) {
      const std::int64_t row = j / w_.output, first = j % w_.output, last = std::min(w_.output, first + (end - dst));
      const std::int64_t id = row / h_.output * d_.stride - d_.pad_begin + kd * d_.dilation;
      const std::int64_t ih = row % h_.output * h_.stride - h_.pad_begin + kh * h_.dilation;
      const bool inside = id >= 0 && id < d_.input && ih >= 0 && ih < h_.input;
      const std::int64_t begin = inside ? std::clamp(range.begin, first, last) : last, stop = inside ? std::clamp(range.end, begin, last) : last;
      std::fill(dst, dst + (begin - first), 0.0);
      const T* const src = channel + (id * h_.input + ih) * w_.input + range.offset;
      if (w_.stride == 1) {
#pragma omp simd
        for (std::int64_t ow = begin; ow < stop; ++ow) dst[ow - first] = static_cast<double>(src[ow]);
      } else {
        for (std::int64_t ow = begin; ow < stop; ++ow) dst[ow - first] = static_cast<double>(src[ow * w_.stride]);
      }
      std::fill(dst + (stop - first), dst + (last - first), 0.0);
      dst += last - first;
      j += last - first;
    }
  }

 private:
  WindowAxis d_, h_, w_;
  std::vector<TapRange> ranges_;
};

/// As convolve<double>, whose bits it gives for f32 numbers: emit(oc, index of the first element in y, sums, count).
template <class T, class Emit>
void convolve_wide(const ConvGeometry& geometry, const T* x, const T* weights, const Emit& emit) {
  const std::vector<WindowAxis> axes = as_three_axes(merge_pointwise(geometry.axes));
  const std::int64_t channel = axes[0].input * axes[1].input * axes[2].input, outputs = axes[0].output * axes[1].output * axes[2].output;
  const std::int64_t ics = geometry.ic_per_group(), ocs = geometry.oc_per_group();
  const std::int64_t length = ics * axes[0].kernel * axes[1].kernel * axes[2].kernel;
  // A window that few filters share is not worth gathering. And the loops leave padding out, whereas 0 times infinity is not 0.
  const bool finite = std::all_of(weights, weights + geometry.oc * length, [](T weight) { return std::isfinite(weight); });
  if (ocs < 4 || !finite) return convolve<double>(geometry, x, weights, emit);
  const WindowRows<T> windows(axes);
  wide_product(
      {geometry.batch * geometry.group, ocs, length, outputs},
      [&](std::int64_t batch, std::int64_t i, std::int64_t p, std::int64_t count, double* dst) {
        std::copy_n(weights + (batch % geometry.group * ocs + i) * length + p, count, dst);
      },
      [&](std::int64_t batch, std::int64_t p, std::int64_t j, std::int64_t count, double* dst) { windows.fill(x + batch * ics * channel, p, j, count, dst); },
      [&](std::int64_t batch, std::int64_t i, std::int64_t j, std::int64_t count, const double* sums) {
        emit(batch % geometry.group * ocs + i, (batch * ocs + i) * outputs + j, sums, count);
      });
}

}  // namespace fovea::ops
