// SPDX-License-Identifier: Apache-2.0
// fovea::conv: y = act(conv(x, w) + b + r) or act(conv(x, w) + b) + r. One, two or three spatial axes.
#include "base/activation.h"
#include "base/float_types.h"
#include "ops/conv/conv_params.h"
#include "ops/kernel_context.h"

namespace fovea::ops {

namespace {

template <class T>
double value(const Tensor& tensor, std::int64_t i) {
  if constexpr (std::is_same_v<T, double>) return tensor.data<double>()[i];
  else return static_cast<float>(tensor.data<T>()[i]);
}

template <class T>
Status conv(KernelContext& context, const ConvGeometry& g, const std::vector<WindowAxis>& axes, Tensor y) {
  const Tensor& x = context.input(0);
  const Tensor& w = context.input(1);
  const Activation activation = Activation::from(context.attributes());
  const Residual residual = context.has_input(3) ? residual_from(context.attributes()) : Residual::None;
  const WindowAxis &ad = axes[0], &ah = axes[1], &aw = axes[2];
  T* dst = y.data<T>();
  std::int64_t o = 0;
  for (std::int64_t n = 0; n < g.batch; ++n) {
    for (std::int64_t oc = 0; oc < g.oc; ++oc) {
      const std::int64_t first_ic = oc / g.oc_per_group() * g.ic_per_group();
      for (std::int64_t od = 0; od < ad.output; ++od) {
        for (std::int64_t oh = 0; oh < ah.output; ++oh) {
          for (std::int64_t ow = 0; ow < aw.output; ++ow, ++o) {
            double sum = context.has_input(2) ? value<T>(context.input(2), oc) : 0;
            for (std::int64_t c = 0; c < g.ic_per_group(); ++c) {
              for (std::int64_t kd = 0; kd < ad.kernel; ++kd) {
                const std::int64_t id = od * ad.stride - ad.pad_begin + kd * ad.dilation;
                if (id < 0 || id >= ad.input) continue;
                for (std::int64_t kh = 0; kh < ah.kernel; ++kh) {
                  const std::int64_t ih = oh * ah.stride - ah.pad_begin + kh * ah.dilation;
                  if (ih < 0 || ih >= ah.input) continue;
                  const std::int64_t x_row = (((n * g.ic + first_ic + c) * ad.input + id) * ah.input + ih) * aw.input;
                  const std::int64_t w_row = (((oc * g.ic_per_group() + c) * ad.kernel + kd) * ah.kernel + kh) * aw.kernel;
                  for (std::int64_t kw = 0; kw < aw.kernel; ++kw) {
                    const std::int64_t iw = ow * aw.stride - aw.pad_begin + kw * aw.dilation;
                    if (iw >= 0 && iw < aw.input) sum += value<T>(x, x_row + iw) * value<T>(w, w_row + kw);
                  }
                }
              }
            }
            if (residual == Residual::Before) sum += value<T>(context.input(3), o);
            sum = activation.apply(sum);
            if (residual == Residual::After) sum += value<T>(context.input(3), o);
            if constexpr (std::is_same_v<T, double>) dst[o] = sum;
            else dst[o] = static_cast<T>(static_cast<float>(sum));
          }
        }
      }
    }
  }
  return {};
}

}  // namespace

Status fused_conv_reference(KernelContext& context) {
  const Tensor& x = context.input(0);
  FOVEA_ASSIGN(const ConvParams params, ConvParams::parse(context.attributes(), x.rank()));
  FOVEA_ASSIGN(const ConvGeometry geometry, params.resolve(x.shape(), context.input(1).shape()));
  const Shape shape = geometry.output_shape();
  if (context.has_input(2) && context.input(2).elements() != geometry.oc) {
    return invalid_argument("bias: expected ", geometry.oc, " elements, found ", context.input(2).elements());
  }
  if (context.has_input(3) && !(context.input(3).shape() == shape)) {
    return invalid_argument("residual: expected ", shape.to_string(), ", found ", context.input(3).shape().to_string());
  }
  for (int i = 1; i < context.num_inputs(); ++i) {
    if (context.has_input(i) && context.input(i).type() != x.type()) return invalid_argument("input ", i, ": expected ", name(x.type()));
  }
  FOVEA_ASSIGN(Tensor y, context.output(0, x.type(), shape));
  const std::vector<WindowAxis> axes = as_three_axes(geometry.axes);
  switch (x.type()) {
    case DataType::f32: return conv<float>(context, geometry, axes, y);
    case DataType::f64: return conv<double>(context, geometry, axes, y);
    case DataType::f16: return conv<Half>(context, geometry, axes, y);
    case DataType::bf16: return conv<BFloat16>(context, geometry, axes, y);
    default: return unsupported("fovea::conv: type ", name(x.type()));
  }
}

}  // namespace fovea::ops
