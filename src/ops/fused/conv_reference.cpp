// SPDX-License-Identifier: Apache-2.0
// fovea::conv: y = act(conv(x, w) + b + r) or act(conv(x, w) + b) + r, in f64. One, two or three spatial axes.
#include "base/activation.h"
#include "base/element_types.h"
#include "ops/conv/wide_conv.h"
#include "ops/widen.h"

namespace fovea::ops {

Status fused_conv_reference(KernelContext& context) {
  const Tensor& input = context.input(0);
  FOVEA_ASSIGN(const ConvParams params, ConvParams::parse(context.attributes(), input.rank()));
  FOVEA_ASSIGN(const ConvGeometry geometry, params.resolve(input.shape(), context.input(1).shape()));
  FOVEA_RETURN_IF_ERROR(check_conv_ranks(geometry));
  const Shape shape = geometry.output_shape();
  if (!is_floating(input.type())) return unsupported("fovea::conv: type ", name(input.type()));
  Tensor operands[4];
  for (int i = 0; i < std::min(4, context.num_inputs()); ++i) {
    if (!context.has_input(i)) continue;
    if (context.input(i).type() != input.type()) return invalid_argument("input ", i, ": expected ", name(input.type()));
    FOVEA_ASSIGN(operands[i], widened(context.input(i)));
  }
  const auto& [x, weights, bias, addend] = operands;
  if (bias.defined() && bias.elements() != geometry.oc) return invalid_argument("bias: expected ", geometry.oc, " elements, found ", bias.elements());
  if (addend.defined() && !(addend.shape() == shape)) {
    return invalid_argument("residual: expected ", shape.to_string(), ", found ", addend.shape().to_string());
  }
  const Activation activation = Activation::from(context.attributes());
  const Residual residual = addend.defined() ? residual_from(context.attributes()) : Residual::None;
  FOVEA_ASSIGN(WideOutput y, WideOutput::create(context, 0, input.type(), shape));
  FOVEA_RETURN_IF_ERROR((dispatch<float, double>(x.type(), "fovea::conv", [&](auto tag) -> Status {
    using T = typename decltype(tag)::type;
    const T *const b = bias.data<T>(), *const r = addend.data<T>();
    T* const dst = y.data<T>();
    convolve_wide(geometry, x.data<T>(), weights.data<T>(), [&](std::int64_t oc, std::int64_t at, const double* row, std::int64_t count) {
      for (std::int64_t i = 0; i < count; ++i) {
        double sum = row[i] + (b ? static_cast<double>(b[oc]) : 0.0);
        if (residual == Residual::Before) sum += static_cast<double>(r[at + i]);
        sum = activation.apply(sum);
        if (residual == Residual::After) sum += static_cast<double>(r[at + i]);
        dst[at + i] = static_cast<T>(sum);
      }
    });
    return {};
  })));
  return y.finish();
}

}  // namespace fovea::ops
