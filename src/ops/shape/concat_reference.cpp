// SPDX-License-Identifier: Apache-2.0
// Concat: each input is copied into its slice of the output.
#include "base/checked_math.h"
#include "base/strided_copy.h"
#include "ops/axis.h"
#include "ops/kernel_context.h"

namespace fovea::ops {

Status concat_reference(KernelContext& context) {
  const Tensor& first = context.input(0);
  FOVEA_ASSIGN(const int axis, normalize_axis(context.attributes().get_int("axis"), first.rank()));
  Shape shape = first.shape();
  for (int i = 1; i < context.num_inputs(); ++i) {
    const Tensor& part = context.input(i);
    if (part.type() != first.type()) return invalid_argument("input ", i, " has type ", name(part.type()), ", input 0 ", name(first.type()));
    bool fits = part.rank() == shape.rank();
    for (int k = 0; fits && k < shape.rank(); ++k) fits = k == axis || part.dim(k) == shape[k];
    if (!fits || !checked_add(shape[axis], part.dim(axis), shape[axis])) {
      return invalid_argument("input ", i, " of shape ", part.shape().to_string(), " does not fit ", first.shape().to_string(), " along axis ", axis);
    }
  }
  FOVEA_ASSIGN(Tensor output, context.output(0, first.type(), shape));
  const Shape strides = dense_strides(shape);
  std::int64_t at = 0;
  for (int i = 0; i < context.num_inputs(); ++i) {
    const Tensor& part = context.input(i);
    if (part.elements() == 0) continue;
    strided_copy(part.type(), part.shape().dims(), part.raw(), dense_strides(part.shape()).dims(),
                 element_at(part.type(), output.raw(), at * strides[axis]), strides.dims());
    at += part.dim(axis);
  }
  return {};
}

}  // namespace fovea::ops
