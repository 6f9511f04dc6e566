// SPDX-License-Identifier: Apache-2.0
// Equal, Greater, GreaterOrEqual, Less, LessOrEqual.
#include "ops/elementwise/binary_loop.h"

namespace fovea::ops {

namespace {

template <class F>
Status compare(KernelContext& context, F f) {
  const Tensor &x = context.input(0), &y = context.input(1);
  FOVEA_RETURN_IF_ERROR(check_same_type(context, x, y));
  return dispatch_numeric(x.type(), context.op(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    return map_pairs<T, T, std::uint8_t>(context, x, y, DataType::boolean, f);
  });
}

Status equal_strings(KernelContext& context) {
  const Tensor &x = context.input(0), &y = context.input(1);
  FOVEA_ASSIGN(const Shape shape, broadcast_shapes(context.op(), x.shape(), y.shape()));
  FOVEA_ASSIGN(Tensor z, context.output(0, DataType::boolean, shape));
  const BroadcastLoop<2> loop(shape, {&x.shape(), &y.shape()});
  loop.for_each_row([&](std::int64_t out, const auto& offsets, const auto& strides, std::int64_t count) {
    for (std::int64_t i = 0; i < count; ++i) {
      z.data<std::uint8_t>()[out + i] = x.data<std::string>()[offsets[0] + i * strides[0]] == y.data<std::string>()[offsets[1] + i * strides[1]];
    }
  });
  return {};
}

}  // namespace

Status equal_reference(KernelContext& context) {
  const Tensor &x = context.input(0), &y = context.input(1);
  if (x.type() == DataType::string && y.type() == DataType::string) return equal_strings(context);
  if (x.type() == DataType::boolean && y.type() == DataType::boolean) {
    return map_pairs<std::uint8_t, std::uint8_t, std::uint8_t>(context, x, y, DataType::boolean, [](auto a, auto b) { return (a != 0) == (b != 0); });
  }
  return compare(context, [](auto a, auto b) { return a == b; });
}
Status greater_reference(KernelContext& context) {
  return compare(context, [](auto a, auto b) { return a > b; });
}
Status greater_or_equal_reference(KernelContext& context) {
  return compare(context, [](auto a, auto b) { return a >= b; });
}
Status less_reference(KernelContext& context) {
  return compare(context, [](auto a, auto b) { return a < b; });
}
Status less_or_equal_reference(KernelContext& context) {
  return compare(context, [](auto a, auto b) { return a <= b; });
}

}  // namespace fovea::ops
