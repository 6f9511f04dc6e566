// SPDX-License-Identifier: Apache-2.0
// Div and Mod. Integer division by zero is an error; MIN / -1 wraps around.
#include <cmath>

#include "ops/elementwise/binary_loop.h"
#include "ops/elementwise/integer_math.h"

namespace fovea::ops {

namespace {

template <class F>
Status divide(KernelContext& context, F f) {
  const Tensor &x = context.input(0), &y = context.input(1);
  FOVEA_RETURN_IF_ERROR(check_same_type(context, x, y));
  return dispatch_numeric(x.type(), context.op(), [&](auto tag) -> Status {
    using T = typename decltype(tag)::type;
    FOVEA_RETURN_IF_ERROR(check_divisor<T>(context, y));
    return map_pairs<T, T, T>(context, x, y, x.type(), f);
  });
}

}  // namespace

Status div_reference(KernelContext& context) {
  return divide(context, []<class C>(C a, C b) {
    if constexpr (std::is_integral_v<C>) return wrap_div(a, b);
    else return a / b;
  });
}

Status mod_reference(KernelContext& context) {
  if (context.attributes().get_int("fmod", 0) != 0) {
    return divide(context, []<class C>(C a, C b) {
      if constexpr (std::is_integral_v<C>) return truncated_mod(a, b);
      else return std::fmod(a, b);
    });
  }
  return divide(context, []<class C>(C a, C b) {
    if constexpr (std::is_integral_v<C>) {
      return floored_mod(a, b);
    } else {
      const C r = std::fmod(a, b);
      return r != 0 && (r < 0) != (b < 0) ? r + b : r;
    }
  });
}

}  // namespace fovea::ops
