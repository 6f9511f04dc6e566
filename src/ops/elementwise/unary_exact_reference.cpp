// SPDX-License-Identifier: Apache-2.0
// Operators of one input whose result is exact: Abs, Neg, Relu, Sign, Not, BitwiseNot, IsInf, IsNaN.
#include <cmath>

#include "ops/elementwise/integer_math.h"
#include "ops/elementwise/unary_loop.h"

namespace fovea::ops {

Status abs_reference(KernelContext& context) {
  return dispatch_numeric(context.input(0).type(), context.op(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    return map_elements<T, T>(context, kTypeOf<T>, [](auto x) {
      if constexpr (std::is_floating_point_v<decltype(x)>) return std::fabs(x);
      else return x < T(0) ? wrap_sub(T(0), x) : x;
    });
  });
}

Status neg_reference(KernelContext& context) {
  return dispatch_numeric(context.input(0).type(), context.op(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    return map_elements<T, T>(context, kTypeOf<T>, [](auto x) {
      if constexpr (std::is_floating_point_v<decltype(x)>) return -x;
      else return wrap_sub(T(0), x);
    });
  });
}

Status relu_reference(KernelContext& context) {
  return dispatch_numeric(context.input(0).type(), context.op(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    return map_elements<T, T>(context, kTypeOf<T>, [](auto x) { return x < 0 ? decltype(x)(0) : x; });
  });
}

Status sign_reference(KernelContext& context) {
  return dispatch_numeric(context.input(0).type(), context.op(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    return map_elements<T, T>(context, kTypeOf<T>, [](auto x) {
      using X = decltype(x);
      if (x > 0) return X(1);
      if constexpr (!std::is_unsigned_v<X>) {
        if (x < 0) return X(-1);
      }
      return x;  // zero, or NaN
    });
  });
}

Status not_reference(KernelContext& context) {
  return dispatch<Bool>(context.input(0).type(), context.op(), [&](auto) {
    return map_elements<std::uint8_t, std::uint8_t>(context, DataType::boolean, [](std::uint8_t x) { return x == 0; });
  });
}

Status bitwise_not_reference(KernelContext& context) {
  return dispatch_integers(context.input(0).type(), context.op(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    return map_elements<T, T>(context, kTypeOf<T>, [](T x) { return static_cast<T>(~x); });
  });
}

namespace {

template <class F>
Status test_floats(KernelContext& context, F f) {
  return dispatch<float, double, Half, BFloat16, F8E4M3FN, F8E4M3FNUZ, F8E5M2, F8E5M2FNUZ>(
      context.input(0).type(), context.op(), [&](auto tag) {
        using T = typename decltype(tag)::type;
        using Arg = std::conditional_t<std::is_same_v<T, double>, double, float>;
        return map_elements<T, std::uint8_t>(context, DataType::boolean, [&](auto x) { return f(static_cast<Arg>(x)); });
      });
}

}  // namespace

Status is_inf_reference(KernelContext& context) {
  const bool negative = context.attributes().get_int("detect_negative", 1) != 0;
  const bool positive = context.attributes().get_int("detect_positive", 1) != 0;
  return test_floats(context, [=](auto x) { return std::isinf(x) && (x < 0 ? negative : positive); });
}

Status is_nan_reference(KernelContext& context) {
  return test_floats(context, [](auto x) { return std::isnan(x); });
}

}  // namespace fovea::ops
