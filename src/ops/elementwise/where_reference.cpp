// SPDX-License-Identifier: Apache-2.0
// Where moves elements, so it works on their size.
#include <array>
#include <cstring>

#include "base/element_types.h"
#include "ops/elementwise/broadcast.h"
#include "ops/kernel_context.h"

namespace fovea::ops {

namespace {

template <class T>
void select(const Tensor& condition, const Tensor& x, const Tensor& y, Tensor& z) {
  const BroadcastLoop<3> loop(z.shape(), {&condition.shape(), &x.shape(), &y.shape()});
  const auto* c = condition.data<std::uint8_t>();
  const T *a = x.data<T>(), *b = y.data<T>();
  T* result = z.data<T>();
  loop.for_each_row([&](std::int64_t out, const auto& offsets, const auto& strides, std::int64_t count) {
    for (std::int64_t i = 0; i < count; ++i) {
      result[out + i] = c[offsets[0] + i * strides[0]] ? a[offsets[1] + i * strides[1]] : b[offsets[2] + i * strides[2]];
    }
  });
}

}  // namespace

Status where_reference(KernelContext& context) {
  const Tensor &condition = context.input(0), &x = context.input(1), &y = context.input(2);
  if (condition.type() != DataType::boolean) return invalid_argument("Where: the condition must be bool, found ", name(condition.type()));
  if (x.type() != y.type()) return invalid_argument("Where: inputs must have one element type, found ", name(x.type()), " and ", name(y.type()));
  const Shape shapes[] = {condition.shape(), x.shape(), y.shape()};
  FOVEA_ASSIGN(const Shape shape, broadcast_shapes("Where", shapes));
  FOVEA_ASSIGN(Tensor z, context.output(0, x.type(), shape));
  if (x.type() == DataType::string) return select<std::string>(condition, x, y, z), Status();
  switch (size_of(x.type())) {
    case 1: select<std::uint8_t>(condition, x, y, z); break;
    case 2: select<std::uint16_t>(condition, x, y, z); break;
    case 4: select<std::uint32_t>(condition, x, y, z); break;
    case 8: select<std::uint64_t>(condition, x, y, z); break;
    default: select<std::array<std::uint64_t, 2>>(condition, x, y, z); break;
  }
  return {};
}

}  // namespace fovea::ops
