// SPDX-License-Identifier: Apache-2.0
// CumSum and CumProd along one axis: inclusive or exclusive, forwards or backwards. Floats run in double.
#include "ops/elementwise/element_cast.h"
#include "ops/elementwise/integer_math.h"
#include "ops/elementwise/unary_loop.h"
#include "ops/reduce/reduce_axes.h"

namespace fovea::ops {

namespace {

template <class F>
Status cumulate(KernelContext& context, int neutral, F combine) {
  const Tensor& x = context.input(0);
  if (context.input(1).elements() != 1 || !is_integer(context.input(1).type())) {
    return invalid_argument(context.op(), ": the axis must be one integer, found ", name(context.input(1).type()), " ",
                            context.input(1).shape().to_string());
  }
  FOVEA_ASSIGN(const Tensor wide, cast_tensor(context.input(1), DataType::i64, context.op()));
  FOVEA_ASSIGN(const int axis, normal_axis(context.op(), *wide.data<std::int64_t>(), x.rank()));
  const bool exclusive = context.attributes().get_int("exclusive", 0) != 0;
  const bool reverse = context.attributes().get_int("reverse", 0) != 0;
  FOVEA_ASSIGN(Tensor y, context.output(0, x.type(), x.shape()));
  if (x.elements() == 0) return {};
  const std::int64_t extent = x.dim(axis);
  std::int64_t inner = 1;
  for (int i = axis + 1; i < x.rank(); ++i) inner *= x.dim(i);
  const std::int64_t lines = x.elements() / extent;
  return dispatch<float, double, Half, BFloat16, std::int32_t, std::int64_t, std::uint32_t, std::uint64_t>(
      x.type(), context.op(), [&](auto tag) -> Status {
        using T = typename decltype(tag)::type;
        using A = std::conditional_t<kIsFloat<T>, double, T>;
        for (std::int64_t line = 0; line < lines; ++line) {
          const std::int64_t start = line / inner * extent * inner + line % inner;
          A running = static_cast<A>(neutral);
          for (std::int64_t k = 0; k < extent; ++k) {
            const std::int64_t at = start + (reverse ? extent - 1 - k : k) * inner;
            const A next = combine(running, static_cast<A>(x.data<T>()[at]));
            y.data<T>()[at] = narrow<T>(exclusive ? running : next);
            running = next;
          }
        }
        return {};
      });
}

}  // namespace

Status cum_sum_reference(KernelContext& context) {
  return cumulate(context, 0, []<class A>(A a, A b) {
    if constexpr (std::is_integral_v<A>) return wrap_add(a, b);
    else return a + b;
  });
}

Status cum_prod_reference(KernelContext& context) {
  return cumulate(context, 1, []<class A>(A a, A b) {
    if constexpr (std::is_integral_v<A>) return wrap_mul(a, b);
    else return a * b;
  });
}

}  // namespace fovea::ops
