// SPDX-License-Identifier: Apache-2.0
// Loops over one input for reference kernels: y[i] = f(x[i]), computed wide, rounded once.
#pragma once

#include "base/element_types.h"
#include "ops/elementwise/broadcast.h"
#include "ops/kernel_context.h"

namespace fovea::ops {

/// Narrows a wide result to the stored type; 16-bit floats convert from float.
template <class T, class W>
T narrow(W value) {
  if constexpr (kIsHalf<T>) return T(static_cast<float>(value));
  else return static_cast<T>(value);
}

/// Any float type; f takes and returns the wide type (double or float).
template <class F>
Status map_floats(KernelContext& context, F f) {
  const Tensor& x = context.input(0);
  return dispatch_floats(x.type(), context.op(), [&](auto tag) -> Status {
    using T = typename decltype(tag)::type;
    FOVEA_ASSIGN(Tensor y, context.output(0, x.type(), x.shape()));
    const T* in = x.data<T>();
    T* out = y.data<T>();
    for_each_index(x.elements(), [=](std::int64_t i) { out[i] = narrow<T>(f(static_cast<Wide<T>>(in[i]))); });
    return {};
  });
}

/// One listed type; f takes the element itself (16-bit floats as float) and returns R or something that narrows to it.
template <class T, class R, class F>
Status map_elements(KernelContext& context, DataType result, F f) {
  const Tensor& x = context.input(0);
  FOVEA_ASSIGN(Tensor y, context.output(0, result, x.shape()));
  using Arg = std::conditional_t<kIsHalf<T>, float, T>;
  const T* in = x.data<T>();
  R* out = y.data<R>();
  for_each_index(x.elements(), [=](std::int64_t i) { out[i] = narrow<R>(f(static_cast<Arg>(in[i]))); });
  return {};
}

}  // namespace fovea::ops
