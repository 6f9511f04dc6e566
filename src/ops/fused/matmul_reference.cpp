// SPDX-License-Identifier: Apache-2.0
// fovea::matmul: y = act(scale * a b + c + r) or act(scale * a b + c) + r, sums in f64.
#include "base/activation.h"
#include "base/checked_math.h"
#include "base/element_types.h"
#include "ops/matmul/float_product.h"
#include "ops/widen.h"

namespace fovea::ops {

namespace {

/// Position in the bias of output element `index` (row-major in `output`), broadcasting the bias.
std::int64_t bias_index(const Shape& bias, const Shape& output, std::int64_t index) {
  std::int64_t result = 0, stride = 1;
  for (int axis = output.rank() - 1; axis >= 0; --axis) {
    const std::int64_t at = index % output[axis];
    index /= output[axis];
    const int own = axis - (output.rank() - bias.rank());
    if (own < 0) continue;
    result += (bias[own] == 1 ? 0 : at) * stride;
    stride *= bias[own];
  }
  return result;
}

}  // namespace

Status fused_matmul_reference(KernelContext& context) {
  const Tensor& a = context.input(0);
  const Tensor& b = context.input(1);
  FOVEA_ASSIGN(const MatMulShapes s, MatMulShapes::resolve(context.attributes(), a.shape(), b.shape()));
  if (!is_floating(a.type())) return unsupported("fovea::matmul: type ", name(a.type()));
  for (int i = 1; i < context.num_inputs(); ++i) {
    if (context.has_input(i) && context.input(i).type() != a.type()) return invalid_argument("input ", i, ": expected ", name(a.type()));
  }
  if (context.has_input(2)) {
    FOVEA_ASSIGN(const Shape joined, broadcast(s.output, context.input(2).shape()));
    if (!(joined == s.output)) return invalid_argument("bias ", context.input(2).shape().to_string(), " does not broadcast to ", s.output.to_string());
  }
  if (context.has_input(3) && !(context.input(3).shape() == s.output)) {
    return invalid_argument("residual: expected ", s.output.to_string(), ", found ", context.input(3).shape().to_string());
  }
  FOVEA_RETURN_IF_ERROR(checked_elements(s.output.dims()).ok() ? Status() : invalid_argument("matmul: the output is too large"));
  Tensor operands[4];
  for (int i = 0; i < std::min(4, context.num_inputs()); ++i) {
    if (!context.has_input(i)) continue;
    FOVEA_ASSIGN(operands[i], widened(context.input(i)));
  }
  const auto& [left, right, bias, addend] = operands;
  const double scale = context.attributes().get_float("scale", 1);
  const Activation activation = Activation::from(context.attributes());
  const Residual residual = addend.defined() ? residual_from(context.attributes()) : Residual::None;
  const std::int64_t bias_step = bias.rank() > 0 && bias.dim(bias.rank() - 1) != 1 ? 1 : 0;
  FOVEA_ASSIGN(WideOutput y, WideOutput::create(context, 0, a.type(), s.output));
  FOVEA_RETURN_IF_ERROR((dispatch<float, double>(left.type(), "fovea::matmul", [&](auto tag) -> Status {
    using T = typename decltype(tag)::type;
    const T *const c = bias.data<T>(), *const r = addend.data<T>();
    T* const dst = y.data<T>();
    float_product(s, left.data<T>(), right.data<T>(), [&](std::int64_t at, std::int64_t count, const double* sums) {
      const T* const add = c ? c + bias_index(bias.shape(), s.output, at) : nullptr;
      for (std::int64_t i = 0; i < count; ++i) {
        double sum = sums[i] * scale;
        if (add) sum += static_cast<double>(add[i * bias_step]);
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
