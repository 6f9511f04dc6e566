// SPDX-License-Identifier: Apache-2.0
// The frame of reference kernels with two broadcast inputs.
#pragma once

#include "base/element_types.h"
#include "ops/elementwise/broadcast.h"
#include "ops/elementwise/unary_loop.h"
#include "ops/kernel_context.h"

namespace fovea::ops {

inline Status check_same_type(const KernelContext& context, const Tensor& a, const Tensor& b) {
  if (a.type() == b.type()) return {};
  return invalid_argument(context.op(), ": inputs must have one element type, found ", name(a.type()), " and ", name(b.type()));
}

/// Output 0 = f(x, y) with elements X, Y and R; 16-bit floats reach f as float, and f's result is narrowed to R.
template <class X, class Y, class R, class F>
Status map_pairs(KernelContext& context, const Tensor& x, const Tensor& y, DataType result, F f) {
  FOVEA_ASSIGN(const Shape shape, broadcast_shapes(context.op(), x.shape(), y.shape()));
  FOVEA_ASSIGN(Tensor z, context.output(0, result, shape));
  using ArgX = std::conditional_t<kIsHalf<X>, float, X>;
  using ArgY = std::conditional_t<kIsHalf<Y>, float, Y>;
  broadcast_binary(x.data<X>(), x.shape(), y.data<Y>(), y.shape(), z.data<R>(), shape,
                   [&](X a, Y b) { return narrow<R>(f(static_cast<ArgX>(a), static_cast<ArgY>(b))); });
  return {};
}

/// Both inputs and the output of one numeric type.
template <class F>
Status map_numeric_pairs(KernelContext& context, F f) {
  const Tensor &x = context.input(0), &y = context.input(1);
  FOVEA_RETURN_IF_ERROR(check_same_type(context, x, y));
  return dispatch_numeric(x.type(), context.op(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    return map_pairs<T, T, T>(context, x, y, x.type(), f);
  });
}

/// InvalidArgument when an integer divisor is zero.
template <class T>
Status check_divisor(const KernelContext& context, const Tensor& divisor) {
  if constexpr (std::is_integral_v<T>) {
    const auto values = divisor.values<T>();
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (values[i] == 0) return invalid_argument(context.op(), ": division by zero at element ", i, " of the divisor");
    }
  }
  return {};
}

}  // namespace fovea::ops
