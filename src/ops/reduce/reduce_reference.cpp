// SPDX-License-Identifier: Apache-2.0
// Sums and their kin: ReduceSum, Mean, Prod, L1, L2, SumSquare. Floats accumulate in double; integers wrap around,
// roots and means of integers are computed in double and truncated.
#include <cmath>

#include "ops/elementwise/element_cast.h"
#include "ops/elementwise/integer_math.h"
#include "ops/reduce/reduce_loop.h"

namespace fovea::ops {

Result<Reduction> reduction_of(const KernelContext& context) {
  std::vector<std::int64_t> axes;
  if (context.has_input(1)) {
    FOVEA_ASSIGN(const Tensor wide, cast_tensor(context.input(1), DataType::i64, context.op()));
    axes.assign(wide.values<std::int64_t>().begin(), wide.values<std::int64_t>().end());
  }
  const Shape& shape = context.input(0).shape();
  const bool noop = context.attributes().get_int("noop_with_empty_axes", 0) != 0;
  FOVEA_ASSIGN(const AxisSet set, reduced_axes(context.op(), axes, noop, shape.rank()));
  Reduction reduction;
  reduction.kept = reduced_shape(shape, set, true);
  reduction.output = reduced_shape(shape, set, context.attributes().get_int("keepdims", 1) != 0);
  for (int axis = 0; axis < shape.rank(); ++axis) {
    if (set[static_cast<std::size_t>(axis)]) reduction.count *= shape[axis];
  }
  return reduction;
}

namespace {

template <class F>
Status dispatch_reduce(KernelContext& context, F f) {
  FOVEA_ASSIGN(const Reduction reduction, reduction_of(context));
  return dispatch<float, double, Half, BFloat16, std::int32_t, std::int64_t, std::uint32_t, std::uint64_t>(
      context.input(0).type(), context.op(), [&](auto tag) { return f(tag, reduction); });
}

/// Accumulator of sums: double for floats, the type itself for integers.
template <class T> using Accumulator = std::conditional_t<kIsFloat<T>, double, T>;

template <class A>
A add(A a, A b) {
  if constexpr (std::is_integral_v<A>) return wrap_add(a, b);
  else return a + b;
}
template <class A>
A multiply(A a, A b) {
  if constexpr (std::is_integral_v<A>) return wrap_mul(a, b);
  else return a * b;
}

template <class A>
A negate(A a) {
  if constexpr (std::is_integral_v<A>) return wrap_sub(A(0), a);
  else return -a;
}

}  // namespace

Status reduce_sum_reference(KernelContext& context) {
  return dispatch_reduce(context, [&](auto tag, const Reduction& reduction) {
    using T = typename decltype(tag)::type;
    using A = Accumulator<T>;
    return reduce<T>(context, reduction, A(0), [](A a, auto x) { return add<A>(a, static_cast<A>(x)); }, kAsIs);
  });
}

Status reduce_prod_reference(KernelContext& context) {
  return dispatch_reduce(context, [&](auto tag, const Reduction& reduction) {
    using T = typename decltype(tag)::type;
    using A = Accumulator<T>;
    return reduce<T>(context, reduction, A(1), [](A a, auto x) { return multiply<A>(a, static_cast<A>(x)); }, kAsIs);
  });
}

Status reduce_sum_square_reference(KernelContext& context) {
  return dispatch_reduce(context, [&](auto tag, const Reduction& reduction) {
    using T = typename decltype(tag)::type;
    using A = Accumulator<T>;
    return reduce<T>(context, reduction, A(0), [](A a, auto x) { return add<A>(a, multiply<A>(static_cast<A>(x), static_cast<A>(x))); }, kAsIs);
  });
}

Status reduce_l1_reference(KernelContext& context) {
  return dispatch_reduce(context, [&](auto tag, const Reduction& reduction) {
    using T = typename decltype(tag)::type;
    using A = Accumulator<T>;
    return reduce<T>(context, reduction, A(0), [](A a, auto x) {
      const A value = static_cast<A>(x);
      if constexpr (std::is_unsigned_v<A>) return add<A>(a, value);
      else return add<A>(a, value < 0 ? negate(value) : value);
    }, kAsIs);
  });
}

Status reduce_mean_reference(KernelContext& context) {
  return dispatch_reduce(context, [&](auto tag, const Reduction& reduction) {
    using T = typename decltype(tag)::type;
    return reduce<T>(context, reduction, 0.0, [](double a, auto x) { return a + static_cast<double>(x); },
                     [&](double sum, std::size_t) {
                       const double mean = sum / static_cast<double>(reduction.count);
                       if constexpr (std::is_integral_v<T>) return float_to_integer<T>(mean);
                       else return mean;
                     });
  });
}

Status reduce_l2_reference(KernelContext& context) {
  return dispatch_reduce(context, [&](auto tag, const Reduction& reduction) {
    using T = typename decltype(tag)::type;
    return reduce<T>(context, reduction, 0.0,
                     [](double a, auto x) { return a + static_cast<double>(x) * static_cast<double>(x); },
                     [&](double sum, std::size_t) {
                       if constexpr (std::is_integral_v<T>) return float_to_integer<T>(std::sqrt(sum));
                       else return std::sqrt(sum);
                     });
  });
}

}  // namespace fovea::ops
