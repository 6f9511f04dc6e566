// SPDX-License-Identifier: Apache-2.0
// fovea::matmul: y = act(scale * a b + c + r) or act(scale * a b + c) + r, sums in f64.
#include <vector>

#include "base/activation.h"
#include "base/checked_math.h"
#include "ops/fused/matmul_shapes.h"
#include "ops/fused/pointwise_program.h"
#include "ops/kernel_context.h"
#include "ops/matmul/matrix_product.h"

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
  FOVEA_ASSIGN(Tensor y, context.output(0, a.type(), s.output));

  const double scale = context.attributes().get_float("scale", 1);
  const Activation activation = Activation::from(context.attributes());
  const Residual residual = context.has_input(3) ? residual_from(context.attributes()) : Residual::None;
  const auto load = [](const Tensor& tensor, std::int64_t i) { return load_scalar(tensor.type(), tensor.raw(), i).real; };
  const auto wide = [&](const Tensor& tensor) {
    std::vector<double> values(static_cast<std::size_t>(tensor.elements()));
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = load(tensor, static_cast<std::int64_t>(i));
    return values;
  };
  const std::vector<double> wide_a = wide(a), wide_b = wide(b);
  std::vector<double> sums(static_cast<std::size_t>(s.output.elements()));
  matrix_product(s, wide_a.data(), wide_b.data(), sums.data());
  for (std::int64_t o = 0; o < s.output.elements(); ++o) {
    double sum = sums[static_cast<std::size_t>(o)] * scale;
    if (context.has_input(2)) sum += load(context.input(2), bias_index(context.input(2).shape(), s.output, o));
    if (residual == Residual::Before) sum += load(context.input(3), o);
    sum = activation.apply(sum);
    if (residual == Residual::After) sum += load(context.input(3), o);
    store_scalar(y.type(), y.raw(), o, {.real = sum});
  }
  return {};
}

}  // namespace fovea::ops
