// SPDX-License-Identifier: Apache-2.0
// Activations with parameters (activations.def), Gelu and Shrink.
#include <cmath>
#include <numbers>

#include "ops/elementwise/element_cast.h"
#include "ops/elementwise/unary_loop.h"

namespace fovea::ops {

namespace {

template <class C>
C clamp01(C x) { return x < 0 ? C(0) : x > 1 ? C(1) : x; }

}  // namespace

#define FOVEA_ACTIVATION(stem, name, since, a_name, a_default, b_name, b_default, expression)           \
  Status stem##_reference(KernelContext& context) {                                                     \
    const double a_value = context.attributes().get_float(a_name, a_default);                           \
    const double b_value = context.attributes().get_float(b_name, b_default);                           \
    return map_floats(context, [=](auto x) {                                                            \
      using C = decltype(x);                                                                            \
      const C a = static_cast<C>(a_value);                                                              \
      [[maybe_unused]] const C b = static_cast<C>(b_value);                                             \
      return expression;                                                                                \
    });                                                                                                 \
  }
#include "ops/elementwise/activations.def"
#undef FOVEA_ACTIVATION

Status gelu_reference(KernelContext& context) {
  if (context.attributes().get_string("approximate", "none") == "tanh") {
    return map_floats(context, [](auto x) {
      using C = decltype(x);
      const C inner = std::sqrt(C(2) / std::numbers::pi_v<C>) * (x + C(0.044715) * x * x * x);
      return C(0.5) * x * (1 + std::tanh(inner));
    });
  }
  return map_floats(context, [](auto x) {
    using C = decltype(x);
    return C(0.5) * x * (1 + std::erf(x / std::numbers::sqrt2_v<C>));
  });
}

Status shrink_reference(KernelContext& context) {
  const double bias = context.attributes().get_float("bias", 0.0), lambd = context.attributes().get_float("lambd", 0.5);
  return dispatch_numeric(context.input(0).type(), context.op(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    return map_elements<T, T>(context, kTypeOf<T>, [=](auto element) {
      const double x = static_cast<double>(element);
      const double y = x < -lambd ? x + bias : x > lambd ? x - bias : x <= lambd ? 0.0 : x;
      if constexpr (std::is_integral_v<T>) return float_to_integer<T>(y);
      else return y;
    });
  });
}

}  // namespace fovea::ops
