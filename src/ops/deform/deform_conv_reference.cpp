// SPDX-License-Identifier: Apache-2.0
// DeformConv: for each output pixel the taps are sampled once (zero border), then multiplied with all filters.
//   y[o] = B[o] + sum over c, k of w[o, c, k] * mask[k] * x[c] at (oy * sy - py + ky * dy + offset_y, ... + offset_x)
#include "base/element_types.h"
#include "ops/conv/conv_loops.h"
#include "ops/deform/bilinear.h"
#include "ops/deform/deform_conv.h"
#include "ops/widen.h"

namespace fovea::ops {

Result<DeformConvParams> DeformConvParams::parse(const Attributes& attributes, int rank) {
  if (rank != 4) return unsupported("DeformConv over ", rank - 2, " spatial axes; only 2 are supported");
  DeformConvParams params;
  FOVEA_ASSIGN(params.conv, ConvParams::parse(attributes, rank));
  params.offset_group = attributes.get_int("offset_group", 1);
  if (params.offset_group < 1 || params.offset_group > INT32_MAX) {
    return invalid_model("offset_group: expected a number in 1..", INT32_MAX, ", found ", params.offset_group);
  }
  return params;
}

Result<ConvGeometry> DeformConvParams::resolve(const Shape& x, const Shape& weights, const Shape& offset, const Shape& mask) const {
  FOVEA_ASSIGN(const ConvGeometry geometry, conv.resolve(x, weights));
  if (geometry.ic % offset_group != 0) {
    return invalid_argument("offset_group: ", offset_group, " does not divide the ", geometry.ic, " input channels");
  }
  // A group has at least one channel here unless x has none, and then no offset is ever read.
  const std::int64_t groups = std::min(offset_group, std::max<std::int64_t>(geometry.ic, 1));
  const std::int64_t taps = groups * geometry.axes[0].kernel * geometry.axes[1].kernel;
  const Shape per_tap{geometry.batch, taps, geometry.axes[0].output, geometry.axes[1].output};
  Shape per_coordinate = per_tap;
  per_coordinate[1] *= 2;
  if (!(offset == per_coordinate)) return invalid_argument("offset: expected ", per_coordinate.to_string(), ", found ", offset.to_string());
  if (mask.rank() > 0 && !(mask == per_tap)) return invalid_argument("mask: expected ", per_tap.to_string(), ", found ", mask.to_string());
  return geometry;
}

namespace {

template <class T>
struct Operands {
  const T *x, *weights, *offset, *bias, *mask;
};

/// Samples of all input channels under all taps for one output pixel: columns[c * taps + k].
template <class T>
void sample_columns(const ConvGeometry& geometry, std::int64_t offset_group, const Operands<T>& in, std::int64_t n, std::int64_t oy,
                    std::int64_t ox, std::vector<double>& columns) {
  const WindowAxis &h = geometry.axes[0], &w = geometry.axes[1];
  const std::int64_t taps = h.kernel * w.kernel, pixels = h.output * w.output, pixel = oy * w.output + ox;
  const std::int64_t channels = geometry.ic / offset_group, plane = h.input * w.input;
  for (std::int64_t g = 0; g < offset_group; ++g) {
    for (std::int64_t k = 0; k < taps; ++k) {
      const std::int64_t at = (n * offset_group + g) * taps + k;
      const double y = static_cast<double>(oy * h.stride - h.pad_begin + k / w.kernel * h.dilation) + static_cast<double>(in.offset[2 * at * pixels + pixel]);
      const double x = static_cast<double>(ox * w.stride - w.pad_begin + k % w.kernel * w.dilation) + static_cast<double>(in.offset[(2 * at + 1) * pixels + pixel]);
      const double scale = in.mask ? static_cast<double>(in.mask[at * pixels + pixel]) : 1.0;
      const BilinearTaps corners = zero_border_taps(y, x, h.input, w.input);
      for (std::int64_t c = g * channels; c < (g + 1) * channels; ++c) {
        columns[static_cast<std::size_t>(c * taps + k)] = scale * corners.sample(in.x + (n * geometry.ic + c) * plane);
      }
    }
  }
}

template <class T>
void convolve_deformed(const ConvGeometry& geometry, std::int64_t offset_group, const Operands<T>& in, T* y) {
  const WindowAxis &h = geometry.axes[0], &w = geometry.axes[1];
  const std::int64_t length = geometry.ic_per_group() * h.kernel * w.kernel;
  const double work = static_cast<double>(geometry.batch * h.output * w.output) * static_cast<double>(length * geometry.oc);
#pragma omp parallel for collapse(2) schedule(static) if (work > kParallelWork)
  for (std::int64_t n = 0; n < geometry.batch; ++n) {
    for (std::int64_t oy = 0; oy < h.output; ++oy) {
      std::vector<double> columns(static_cast<std::size_t>(geometry.group * length));
      for (std::int64_t ox = 0; ox < w.output; ++ox) {
        sample_columns(geometry, offset_group, in, n, oy, ox, columns);
        for (std::int64_t oc = 0; oc < geometry.oc; ++oc) {
          const double* const column = columns.data() + oc / geometry.oc_per_group() * length;
          const T* const filter = in.weights + oc * length;
          double sum = 0;
          for (std::int64_t i = 0; i < length; ++i) sum += static_cast<double>(filter[i]) * column[i];
          if (in.bias) sum += static_cast<double>(in.bias[oc]);
          y[((n * geometry.oc + oc) * h.output + oy) * w.output + ox] = static_cast<T>(sum);
        }
      }
    }
  }
}

}  // namespace

Status deform_conv_reference(KernelContext& context) {
  const Tensor& input = context.input(0);
  FOVEA_ASSIGN(const DeformConvParams params, DeformConvParams::parse(context.attributes(), input.rank()));
  Tensor operands[5];
  for (int i = 0; i < 5; ++i) {
    if (!context.has_input(i)) continue;
    if (context.input(i).type() != input.type()) return invalid_argument("input ", i, ": expected ", name(input.type()), " like x, found ", name(context.input(i).type()));
    FOVEA_ASSIGN(operands[i], widened(context.input(i)));
  }
  const auto& [x, weights, offset, bias, mask] = operands;
  FOVEA_ASSIGN(const ConvGeometry geometry, params.resolve(x.shape(), weights.shape(), offset.shape(), mask.shape()));
  if (bias.defined()) FOVEA_RETURN_IF_ERROR(check_channel_vector("bias", bias, geometry.oc));
  FOVEA_ASSIGN(WideOutput y, WideOutput::create(context, 0, input.type(), geometry.output_shape()));
  FOVEA_RETURN_IF_ERROR((dispatch<float, double>(x.type(), "DeformConv", [&](auto tag) -> Status {
    using T = typename decltype(tag)::type;
    const Operands<T> in{x.data<T>(), weights.data<T>(), offset.data<T>(), bias.data<T>(), mask.data<T>()};
    convolve_deformed(geometry, params.offset_group, in, y.data<T>());
    return {};
  })));
  return y.finish();
}

}  // namespace fovea::ops
