// SPDX-License-Identifier: Apache-2.0
// ArgMax and ArgMin along one axis. The first of equals wins, or the last with select_last_index; NaN counts
// as the extreme, as in numpy.
#include "ops/elementwise/unary_loop.h"
#include "ops/reduce/reduce_axes.h"

namespace fovea::ops {

namespace {

/// better(a, b): b beats a.
template <class F>
Status arg_extreme(KernelContext& context, F better) {
  const Tensor& x = context.input(0);
  FOVEA_ASSIGN(const int axis, normal_axis(context.op(), context.attributes().get_int("axis", 0), x.rank()));
  const bool last = context.attributes().get_int("select_last_index", 0) != 0;
  AxisSet set{};
  set[static_cast<std::size_t>(axis)] = true;
  FOVEA_ASSIGN(Tensor y, context.output(0, DataType::i64, reduced_shape(x.shape(), set, context.attributes().get_int("keepdims", 1) != 0)));
  const std::int64_t extent = x.dim(axis);
  if (y.elements() == 0) return {};
  if (extent == 0) return invalid_argument(context.op(), ": axis ", axis, " of shape ", x.shape().to_string(), " is empty");
  std::int64_t inner = 1;
  for (int i = axis + 1; i < x.rank(); ++i) inner *= x.dim(i);
  return dispatch_numeric(x.type(), context.op(), [&](auto tag) -> Status {
    using T = typename decltype(tag)::type;
    using C = std::conditional_t<kIsHalf<T>, float, T>;
    for (std::int64_t i = 0, n = y.elements(); i < n; ++i) {
      const T* in = x.data<T>() + i / inner * extent * inner + i % inner;
      std::int64_t best = 0;
      C best_value = static_cast<C>(in[0]);
      for (std::int64_t k = 1; k < extent; ++k) {
        const C value = static_cast<C>(in[k * inner]);
        const bool nan_held = best_value != best_value;
        if (nan_held ? (last && value != value) : (value != value || better(best_value, value) || (last && value == best_value))) {
          best = k;
          best_value = value;
        }
      }
      y.data<std::int64_t>()[i] = best;
    }
    return {};
  });
}

}  // namespace

Status arg_max_reference(KernelContext& context) {
  return arg_extreme(context, [](auto a, auto b) { return b > a; });
}
Status arg_min_reference(KernelContext& context) {
  return arg_extreme(context, [](auto a, auto b) { return b < a; });
}

}  // namespace fovea::ops
