// SPDX-License-Identifier: Apache-2.0
// TensorScatter: a copy of the cache in which each batch entry's update overwrites the places from its write index
// on, along one axis; circular mode wraps around at the end. Elements are moved by their size.
#include <cstring>

#include "ops/axis.h"
#include "ops/kernel_context.h"

namespace fovea::ops {

namespace {

void copy_elements(const Tensor& from, std::int64_t from_at, Tensor& to, std::int64_t to_at, std::int64_t count) {
  if (from.type() == DataType::string) {
    std::copy_n(from.data<std::string>() + from_at, count, to.data<std::string>() + to_at);
    return;
  }
  const auto size = static_cast<std::int64_t>(size_of(from.type()));
  std::memcpy(to.data<std::byte>() + to_at * size, from.data<std::byte>() + from_at * size, static_cast<std::size_t>(count * size));
}

}  // namespace

Status tensor_scatter_reference(KernelContext& context) {
  const Tensor &past = context.input(0), &update = context.input(1);
  const Shape &shape = past.shape(), &from = update.shape();
  FOVEA_ASSIGN(const int axis, normalize_axis(context.attributes().get_int("axis", -2), past.rank()));
  bool fits = axis != 0 && past.type() == update.type() && shape.rank() == from.rank();
  for (int i = 0; fits && i < shape.rank(); ++i) fits = i == axis ? from[i] <= shape[i] : from[i] == shape[i];
  if (!fits) {
    return invalid_argument("TensorScatter: update ", name(update.type()), " ", from.to_string(), " does not fit into the cache ", name(past.type()), " ",
                            shape.to_string(), " along axis ", axis);
  }
  FOVEA_ASSIGN(Tensor y, context.output(0, past.type(), shape));
  if (past.elements() == 0) return {};
  const bool circular = context.attributes().get_string("mode", "linear") == "circular";
  const std::int64_t capacity = shape[axis], length = from[axis];
  std::vector<std::int64_t> starts(static_cast<std::size_t>(shape[0]), 0);
  if (context.has_input(2)) {
    FOVEA_ASSIGN(starts, index_values(context.input(2), "write_indices"));
    if (static_cast<std::int64_t>(starts.size()) != shape[0]) {
      return invalid_argument("TensorScatter: expected ", shape[0], " write indices, found ", starts.size());
    }
  }
  for (const std::int64_t start : starts) {
    if (start < 0 || (!circular && start > capacity - length)) {
      return invalid_argument("TensorScatter: write index ", start, " with ", length, " entries is outside the cache of ", capacity);
    }
  }
  copy_elements(past, 0, y, 0, past.elements());
  if (update.elements() == 0) return {};
  std::int64_t inner = 1;
  for (int i = axis + 1; i < shape.rank(); ++i) inner *= shape[i];
  const std::int64_t lines = update.elements() / (length * inner), lines_per_batch = lines / shape[0];
  for (std::int64_t line = 0; line < lines; ++line) {
    const std::int64_t start = starts[static_cast<std::size_t>(line / lines_per_batch)] % capacity;
    for (std::int64_t s = 0; s < length; ++s) {
      copy_elements(update, (line * length + s) * inner, y, (line * capacity + (start + s) % capacity) * inner, inner);
    }
  }
  return {};
}

}  // namespace fovea::ops
