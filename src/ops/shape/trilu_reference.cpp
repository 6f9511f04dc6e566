// SPDX-License-Identifier: Apache-2.0
// Trilu: element (r, c) of each matrix is kept if c >= r + k (upper) or c <= r + k (lower), else 0.
// ReverseSequence: step t < len of sequence b comes from step len - 1 - t; later steps stay.
#include <algorithm>

#include "base/strided_copy.h"
#include "ops/axis.h"
#include "ops/fill.h"
#include "ops/kernel_context.h"

namespace fovea::ops {

Status trilu_reference(KernelContext& context) {
  const Tensor& data = context.input(0);
  if (data.rank() < 2) return invalid_argument("expected rank 2 or more, found ", data.rank());
  std::int64_t k = 0;
  if (context.has_input(1)) {
    FOVEA_ASSIGN(k, int_value(context.input(1), "k"));
  }
  const bool upper = context.attributes().get_int("upper", 1) != 0;
  const std::int64_t rows = data.dim(data.rank() - 2), columns = data.dim(data.rank() - 1);
  k = std::clamp(k, -rows - 1, columns + 1);
  FOVEA_ASSIGN(Tensor output, context.output(0, data.type(), data.shape()));
  if (data.elements() == 0) return {};
  with_storage(data.type(), [&](auto* tag) {
    using T = std::remove_pointer_t<decltype(tag)>;
    const T* src = data.data<T>();
    T* dst = output.data<T>();
    for (std::int64_t row = 0; row < data.elements() / columns; ++row, src += columns, dst += columns) {
      const std::int64_t diagonal = row % rows + k;
      // Kept are [first, last).
      const std::int64_t first = upper ? std::clamp<std::int64_t>(diagonal, 0, columns) : 0;
      const std::int64_t last = upper ? columns : std::clamp<std::int64_t>(diagonal + 1, 0, columns);
      std::fill(dst, dst + first, T{});
      std::copy(src + first, src + last, dst + first);
      std::fill(dst + last, dst + columns, T{});
    }
  });
  return {};
}

Status reverse_sequence_reference(KernelContext& context) {
  const Tensor& data = context.input(0);
  FOVEA_ASSIGN(const int batch_axis, normalize_axis(context.attributes().get_int("batch_axis", 1), data.rank()));
  FOVEA_ASSIGN(const int time_axis, normalize_axis(context.attributes().get_int("time_axis", 0), data.rank()));
  if (batch_axis == time_axis) return invalid_argument("batch_axis and time_axis are both ", batch_axis);
  FOVEA_ASSIGN(const auto lengths, int_values(context.input(1), "sequence_lens"));
  if (static_cast<std::int64_t>(lengths.size()) != data.dim(batch_axis)) {
    return invalid_argument("sequence_lens has ", lengths.size(), " entries for a batch of ", data.dim(batch_axis));
  }
  FOVEA_ASSIGN(Tensor output, context.output(0, data.type(), data.shape()));
  if (data.elements() == 0) return {};
  const Shape strides = dense_strides(data.shape());
  for (std::size_t b = 0; b < lengths.size(); ++b) {
    const std::int64_t length = lengths[b], steps = data.dim(time_axis);
    if (length < 0 || length > steps) return invalid_argument("sequence_lens[", b, "] is ", length, "; expected 0 to ", steps);
    const std::int64_t origin = static_cast<std::int64_t>(b) * strides[batch_axis];
    Shape extents = data.shape(), backwards = strides;
    extents[batch_axis] = 1;
    backwards[time_axis] = -strides[time_axis];
    const auto copy = [&](std::int64_t count, std::int64_t from, const Shape& src_strides, std::int64_t to) {
      extents[time_axis] = count;
      strided_copy(data.type(), extents.dims(), element_at(data.type(), data.raw(), origin + from * strides[time_axis]), src_strides.dims(),
                   element_at(data.type(), output.raw(), origin + to * strides[time_axis]), strides.dims());
    };
    if (length > 0) copy(length, length - 1, backwards, 0);
    if (length < steps) copy(steps - length, length, strides, length);
  }
  return {};
}

}  // namespace fovea::ops
