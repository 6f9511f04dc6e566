// SPDX-License-Identifier: Apache-2.0
// Conv: sums in f64, the bias added last.
#include "base/element_types.h"
#include "ops/conv/wide_conv.h"
#include "ops/widen.h"

namespace fovea::ops {

Status conv_reference(KernelContext& context) {
  const Tensor& input = context.input(0);
  FOVEA_ASSIGN(const ConvParams params, ConvParams::parse(context.attributes(), input.rank()));
  FOVEA_ASSIGN(const ConvGeometry geometry, params.resolve(input.shape(), context.input(1).shape()));
  FOVEA_RETURN_IF_ERROR(check_conv_ranks(geometry));
  FOVEA_ASSIGN(const Tensor x, widened(input));
  FOVEA_ASSIGN(const Tensor weights, widened(context.input(1)));
  Tensor bias;
  if (context.has_input(2)) {
    FOVEA_ASSIGN(bias, widened(context.input(2)));
    FOVEA_RETURN_IF_ERROR(check_channel_vector("bias", bias, geometry.oc));
  }
  if (weights.type() != x.type() || (bias.defined() && bias.type() != x.type())) return invalid_argument("Conv: x, weights and bias differ in type");
  FOVEA_ASSIGN(WideOutput y, WideOutput::create(context, 0, input.type(), geometry.output_shape()));
  FOVEA_RETURN_IF_ERROR((dispatch<float, double>(x.type(), "Conv", [&](auto tag) -> Status {
    using T = typename decltype(tag)::type;
    const T* const b = bias.data<T>();
    T* const dst = y.data<T>();
    convolve_wide(geometry, x.data<T>(), weights.data<T>(), [&](std::int64_t oc, std::int64_t at, const double* row, std::int64_t count) {
      const double add = b ? static_cast<double>(b[oc]) : 0.0;
      for (std::int64_t i = 0; i < count; ++i) dst[at + i] = static_cast<T>(row[i] + add);
    });
    return {};
  })));
  return y.finish();
}

}  // namespace fovea::ops
