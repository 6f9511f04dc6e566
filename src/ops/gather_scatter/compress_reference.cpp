// SPDX-License-Identifier: Apache-2.0
// Compress: keeps slices where the condition is true; a condition shorter than the axis drops the rest.
// NonZero: one row for each axis, one column for each element that is not 0, in memory order.
#include <algorithm>

#include "base/element_types.h"
#include "ops/axis.h"
#include "ops/fill.h"
#include "ops/kernel_context.h"

namespace fovea::ops {

Status compress_reference(KernelContext& context) {
  const Tensor& condition = context.input(1);
  if (condition.type() != DataType::boolean || condition.rank() != 1) {
    return invalid_argument("condition: expected a list of bool, found ", name(condition.type()), " of rank ", condition.rank());
  }
  const bool flat = !context.attributes().has("axis");
  const Tensor data = flat ? context.input(0).reshaped({context.input(0).elements()}) : context.input(0);
  FOVEA_ASSIGN(const int axis, normalize_axis(flat ? 0 : context.attributes().get_int("axis"), data.rank()));
  std::vector<std::int64_t> kept;
  for (std::int64_t i = 0; i < condition.elements(); ++i) {
    if (!condition.data<std::uint8_t>()[i]) continue;
    if (i >= data.dim(axis)) return invalid_argument("condition[", i, "] is true but axis ", axis, " has extent ", data.dim(axis));
    kept.push_back(i);
  }
  Shape shape = data.shape();
  shape[axis] = static_cast<std::int64_t>(kept.size());
  FOVEA_ASSIGN(Tensor output, context.output(0, data.type(), shape));
  if (output.elements() == 0) return {};
  std::int64_t inner = 1, outer = 1;
  for (int i = 0; i < axis; ++i) outer *= data.dim(i);
  for (int i = axis + 1; i < data.rank(); ++i) inner *= data.dim(i);
  with_storage(data.type(), [&](auto* tag) {
    using T = std::remove_pointer_t<decltype(tag)>;
    T* to = output.data<T>();
    for (std::int64_t o = 0; o < outer; ++o) {
      for (std::int64_t i : kept) to = std::copy_n(data.data<T>() + (o * data.dim(axis) + i) * inner, inner, to);
    }
  });
  return {};
}

Status non_zero_reference(KernelContext& context) {
  const Tensor& data = context.input(0);
  std::vector<std::int64_t> found;  // flat indices
  const auto collect = [&]<class T>(TypeTag<T>) -> Status {
    const auto values = data.values<T>();
    for (std::size_t i = 0; i < values.size(); ++i) {
      bool zero = false;
      if constexpr (std::is_same_v<T, std::string>) zero = values[i].empty();
      else if constexpr (requires { values[i].value; }) zero = values[i].value == 0;
      else if constexpr (std::is_arithmetic_v<T>) zero = values[i] == T(0);
      else zero = static_cast<float>(values[i]) == 0.0f;
      if (!zero) found.push_back(static_cast<std::int64_t>(i));
    }
    return {};
  };
  FOVEA_RETURN_IF_ERROR(dispatch_all_but_complex(data.type(), "NonZero", collect));
  const auto count = static_cast<std::int64_t>(found.size());
  FOVEA_ASSIGN(Tensor output, context.output(0, DataType::i64, {data.rank(), count}));
  for (std::int64_t column = 0; column < count; ++column) {
    std::int64_t rest = found[static_cast<std::size_t>(column)];
    for (int axis = data.rank() - 1; axis >= 0; --axis) {
      output.data<std::int64_t>()[axis * count + column] = rest % data.dim(axis);
      rest /= data.dim(axis);
    }
  }
  return {};
}

}  // namespace fovea::ops
