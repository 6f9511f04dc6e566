// SPDX-License-Identifier: Apache-2.0
// ConvTranspose: each output row gathers the input rows that reach it; sums in f64, the bias added last.
//   y[n, oc, i * stride - pad + k * dilation] += w[ic, oc, k] * x[n, ic, i]
#include <algorithm>

#include "base/element_types.h"
#include "ops/conv/conv_loops.h"
#include "ops/widen.h"

namespace fovea::ops {

namespace {

/// The input index whose tap `k` falls on output `o`, or -1.
std::int64_t source_index(const WindowAxis& axis, std::int64_t o, std::int64_t k) {
  const std::int64_t scaled = o + axis.pad_begin - k * axis.dilation;
  return scaled >= 0 && scaled % axis.stride == 0 && scaled / axis.stride < axis.input ? scaled / axis.stride : -1;
}

/// The same seen from the input: indices begin..end-1 whose tap `k` falls inside the output, at i * stride + offset.
TapRange reach(const WindowAxis& axis, std::int64_t k) {
  WindowAxis mirrored = axis;
  std::swap(mirrored.input, mirrored.output);
  return tap_range(mirrored, k);
}

template <class T>
void convolve_transposed(const ConvGeometry& geometry, const T* x, const T* weights, const T* bias, T* y) {
  const std::vector<WindowAxis> axes = as_three_axes(geometry.axes);
  const WindowAxis &d = axes[0], &h = axes[1], &w = axes[2];
  const std::int64_t channel = d.input * h.input * w.input, taps = d.kernel * h.kernel * w.kernel;
  const std::int64_t ics = geometry.ic_per_group(), ocs = geometry.oc_per_group();
  const double work = static_cast<double>(geometry.batch * geometry.oc) * static_cast<double>(ics * taps) * static_cast<double>(channel);

#pragma omp parallel for collapse(2) schedule(static) if (work > kParallelWork)
  for (std::int64_t n = 0; n < geometry.batch; ++n) {
    for (std::int64_t oc = 0; oc < geometry.oc; ++oc) {
      std::vector<double> row(static_cast<std::size_t>(w.output));
      const std::int64_t first_ic = oc / ocs * ics;
      T* dst = y + (n * geometry.oc + oc) * d.output * h.output * w.output;
      for (std::int64_t od = 0; od < d.output; ++od) {
        for (std::int64_t oh = 0; oh < h.output; ++oh, dst += w.output) {
          std::fill(row.begin(), row.end(), 0.0);
          for (std::int64_t kd = 0; kd < d.kernel; ++kd) {
            const std::int64_t id = source_index(d, od, kd);
            if (id < 0) continue;
            for (std::int64_t kh = 0; kh < h.kernel; ++kh) {
              const std::int64_t ih = source_index(h, oh, kh);
              if (ih < 0) continue;
              for (std::int64_t ic = first_ic; ic < first_ic + ics; ++ic) {
                const T* const src = x + (n * geometry.ic + ic) * channel + (id * h.input + ih) * w.input;
                const T* const filter = weights + (ic * ocs + oc % ocs) * taps + (kd * h.kernel + kh) * w.kernel;
                for (std::int64_t kw = 0; kw < w.kernel; ++kw) {
                  const double weight = static_cast<double>(filter[kw]);
                  const TapRange range = reach(w, kw);
                  for (std::int64_t i = range.begin; i < range.end; ++i) {
                    row[static_cast<std::size_t>(i * w.stride + range.offset)] += weight * static_cast<double>(src[i]);
                  }
                }
              }
            }
          }
          const double add = bias ? static_cast<double>(bias[oc]) : 0.0;
          for (std::int64_t ow = 0; ow < w.output; ++ow) dst[ow] = static_cast<T>(row[static_cast<std::size_t>(ow)] + add);
        }
      }
    }
  }
}

}  // namespace

Status conv_transpose_reference(KernelContext& context) {
  const Tensor& input = context.input(0);
  FOVEA_ASSIGN(const ConvTransposeParams params, ConvTransposeParams::parse(context.attributes(), input.rank()));
  FOVEA_ASSIGN(const ConvGeometry geometry, params.resolve(input.shape(), context.input(1).shape()));
  FOVEA_RETURN_IF_ERROR(check_conv_ranks(geometry));
  FOVEA_ASSIGN(const Tensor x, widened(input));
  FOVEA_ASSIGN(const Tensor weights, widened(context.input(1)));
  Tensor bias;
  if (context.has_input(2)) {
    FOVEA_ASSIGN(bias, widened(context.input(2)));
    FOVEA_RETURN_IF_ERROR(check_channel_vector("bias", bias, geometry.oc));
  }
  if (weights.type() != x.type() || (bias.defined() && bias.type() != x.type())) {
    return invalid_argument("ConvTranspose: x, weights and bias differ in type");
  }
  FOVEA_ASSIGN(WideOutput y, WideOutput::create(context, 0, input.type(), geometry.output_shape()));
  FOVEA_RETURN_IF_ERROR((dispatch<float, double>(x.type(), "ConvTranspose", [&](auto tag) -> Status {
    using T = typename decltype(tag)::type;
    convolve_transposed(geometry, x.data<T>(), weights.data<T>(), static_cast<const T*>(bias.data<T>()), y.data<T>());
    return {};
  })));
  return y.finish();
}

}  // namespace fovea::ops
