// SPDX-License-Identifier: Apache-2.0
// Max, Min, Sum, Mean of any number of inputs, folded into an accumulator of the output's shape.
// A NaN anywhere gives NaN.
#include <algorithm>
#include <vector>

#include "ops/elementwise/binary_loop.h"

namespace fovea::ops {

namespace {

Result<Shape> common_shape(const KernelContext& context) {
  std::vector<Shape> shapes;
  for (int i = 0; i < context.num_inputs(); ++i) {
    if (!context.has_input(i)) return invalid_argument(context.op(), ": input ", i, " is missing");
    FOVEA_RETURN_IF_ERROR(check_same_type(context, context.input(0), context.input(i)));
    shapes.push_back(context.input(i).shape());
  }
  return broadcast_shapes(context.op(), shapes);
}

/// y = f(y, x) over all inputs but the first, which is copied; y has type A.
template <class T, class A, class F>
void fold(const KernelContext& context, A* y, const Shape& shape, F f) {
  const Shape scalar_shape;
  const T zero{};
  const Tensor& first = context.input(0);
  broadcast_binary(first.data<T>(), first.shape(), &zero, scalar_shape, y, shape, [](T a, T) { return static_cast<A>(a); });
  for (int i = 1; i < context.num_inputs(); ++i) {
    const Tensor& x = context.input(i);
    broadcast_binary(y, shape, x.data<T>(), x.shape(), y, shape, [&](A a, T b) { return f(a, static_cast<A>(b)); });
  }
}

template <class F>
Status fold_exact(KernelContext& context, F f) {
  FOVEA_ASSIGN(const Shape shape, common_shape(context));
  return dispatch_numeric(context.input(0).type(), context.op(), [&](auto tag) -> Status {
    using T = typename decltype(tag)::type;
    FOVEA_ASSIGN(Tensor y, context.output(0, kTypeOf<T>, shape));
    fold<T>(context, y.data<T>(), shape, f);
    return {};
  });
}

Status sum_divided_by(KernelContext& context, int divisor) {
  FOVEA_ASSIGN(const Shape shape, common_shape(context));
  return dispatch_floats(context.input(0).type(), context.op(), [&](auto tag) -> Status {
    using T = typename decltype(tag)::type;
    using A = Wide<T>;
    FOVEA_ASSIGN(Tensor y, context.output(0, kTypeOf<T>, shape));
    std::vector<A> sum(static_cast<std::size_t>(shape.elements()));
    fold<T>(context, sum.data(), shape, [](A a, A b) { return a + b; });
    for (std::size_t i = 0; i < sum.size(); ++i) y.data<T>()[i] = narrow<T>(sum[i] / static_cast<A>(divisor));
    return {};
  });
}

}  // namespace

Status max_reference(KernelContext& context) {
  return fold_exact(context, [](auto a, auto b) { return a != a ? a : a > b ? a : b; });
}
Status min_reference(KernelContext& context) {
  return fold_exact(context, [](auto a, auto b) { return a != a ? a : a < b ? a : b; });
}
Status sum_reference(KernelContext& context) { return sum_divided_by(context, 1); }
Status mean_reference(KernelContext& context) { return sum_divided_by(context, context.num_inputs()); }

}  // namespace fovea::ops
