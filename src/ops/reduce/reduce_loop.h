// SPDX-License-Identifier: Apache-2.0
// The frame of reductions: one pass over the input in memory order, adding each element to its accumulator.
#pragma once

#include <vector>

#include "base/element_types.h"
#include "ops/elementwise/broadcast.h"
#include "ops/elementwise/unary_loop.h"
#include "ops/kernel_context.h"
#include "ops/reduce/reduce_axes.h"

namespace fovea::ops {

/// What a Reduce node asks for.
struct Reduction {
  Shape kept;    ///< input shape with reduced axes 1
  Shape output;  ///< the same, or without them
  std::int64_t count = 1;  ///< elements per accumulator
};
Result<Reduction> reduction_of(const KernelContext& context);

/// accumulators[out] = add(accumulators[out], x) for each element in memory order. `kept` has the rank of x.
template <class T, class A, class F>
void accumulate(const Tensor& x, const Shape& kept, A* accumulators, F add) {
  using Arg = std::conditional_t<kIsHalf<T>, float, T>;
  const BroadcastLoop<1> loop(x.shape(), {&kept});
  const T* in = x.data<T>();
  loop.for_each_row([&](std::int64_t at, const auto& offsets, const auto& strides, std::int64_t count) {
    A* out = accumulators + offsets[0];
    if (strides[0] == 0) {
      A sum = *out;
      for (std::int64_t i = 0; i < count; ++i) sum = add(sum, static_cast<Arg>(in[at + i]));
      *out = sum;
    } else {
      for (std::int64_t i = 0; i < count; ++i) out[i * strides[0]] = add(out[i * strides[0]], static_cast<Arg>(in[at + i]));
    }
  });
}

/// Output 0 = finish(accumulator), each started at `start`.
template <class T, class A, class Add, class Finish>
Status reduce(KernelContext& context, const Reduction& reduction, A start, Add add, Finish finish) {
  const Tensor& x = context.input(0);
  std::vector<A> accumulators(static_cast<std::size_t>(reduction.output.elements()), start);
  accumulate<T>(x, reduction.kept, accumulators.data(), add);
  FOVEA_ASSIGN(Tensor y, context.output(0, x.type(), reduction.output));
  for (std::size_t i = 0; i < accumulators.size(); ++i) y.data<T>()[i] = narrow<T>(finish(accumulators[i], i));
  return {};
}

/// The result is the accumulator as it is.
inline constexpr auto kAsIs = [](auto a, std::size_t) { return a; };

}  // namespace fovea::ops
