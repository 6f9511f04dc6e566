// SPDX-License-Identifier: Apache-2.0
// cummax, cummin: values[k] = max of x[0..k] along `dim`, indices[k] = where it stands. Of equals the last counts, and
// a NaN is more extreme than any number, as in PyTorch (mmcv's TensorRT plugin kept the first of equals).
#include <algorithm>

#include "ops/elementwise/unary_loop.h"
#include "ops/reduce/reduce_axes.h"

namespace fovea::ops {

namespace {

/// takes_over(held, next): next is at least as extreme as held.
template <class F>
Status running_extreme(KernelContext& context, F takes_over) {
  const Tensor& x = context.input(0);
  FOVEA_ASSIGN(const int axis, normal_axis(context.op(), context.attributes().get_int("dim"), std::max(1, x.rank())));
  FOVEA_ASSIGN(Tensor values, context.output(0, x.type(), x.shape()));
  Tensor indices;
  if (context.num_outputs() > 1) {
    FOVEA_ASSIGN(indices, context.output(1, DataType::i64, x.shape()));
  }
  if (x.elements() == 0) return {};
  const std::int64_t extent = x.rank() == 0 ? 1 : x.dim(axis);
  std::int64_t inner = 1;
  for (int i = axis + 1; i < x.rank(); ++i) inner *= x.dim(i);
  return dispatch_numeric(x.type(), context.op(), [&](auto tag) -> Status {
    using T = typename decltype(tag)::type;
    using C = std::conditional_t<kIsHalf<T>, float, T>;
    for (std::int64_t line = 0, lines = x.elements() / extent; line < lines; ++line) {
      const std::int64_t start = line / inner * extent * inner + line % inner;
      std::int64_t held_at = start;
      for (std::int64_t k = 0; k < extent; ++k) {
        const std::int64_t at = start + k * inner;
        const C held = static_cast<C>(x.data<T>()[held_at]), next = static_cast<C>(x.data<T>()[at]);
        if (next != next || (held == held && takes_over(held, next))) held_at = at;
        values.data<T>()[at] = x.data<T>()[held_at];
        if (indices.defined()) indices.data<std::int64_t>()[at] = (held_at - start) / inner;
      }
    }
    return {};
  });
}

}  // namespace

Status cum_max_reference(KernelContext& context) {
  return running_extreme(context, [](auto held, auto next) { return next >= held; });
}
Status cum_min_reference(KernelContext& context) {
  return running_extreme(context, [](auto held, auto next) { return next <= held; });
}

}  // namespace fovea::ops
