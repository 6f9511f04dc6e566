// SPDX-License-Identifier: Apache-2.0
// Add, Sub, Mul, PRelu. Floats round once (16-bit ones through float); integers wrap around.
#include "ops/elementwise/binary_loop.h"
#include "ops/elementwise/integer_math.h"

namespace fovea::ops {

Status add_reference(KernelContext& context) {
  return map_numeric_pairs(context, []<class C>(C a, C b) {
    if constexpr (std::is_integral_v<C>) return wrap_add(a, b);
    else return a + b;
  });
}

Status sub_reference(KernelContext& context) {
  return map_numeric_pairs(context, []<class C>(C a, C b) {
    if constexpr (std::is_integral_v<C>) return wrap_sub(a, b);
    else return a - b;
  });
}

Status mul_reference(KernelContext& context) {
  return map_numeric_pairs(context, []<class C>(C a, C b) {
    if constexpr (std::is_integral_v<C>) return wrap_mul(a, b);
    else return a * b;
  });
}

Status prelu_reference(KernelContext& context) {
  const Tensor &x = context.input(0), &slope = context.input(1);
  if (!broadcasts_to(slope.shape(), x.shape())) {
    return invalid_argument("PRelu: slope of shape ", slope.shape().to_string(), " does not stretch to ", x.shape().to_string());
  }
  return map_numeric_pairs(context, []<class C>(C a, C b) {
    if constexpr (std::is_integral_v<C>) return a < 0 ? wrap_mul(a, b) : a;
    else return a < 0 ? a * b : a;
  });
}

}  // namespace fovea::ops
