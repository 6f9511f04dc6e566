// SPDX-License-Identifier: Apache-2.0
#include "runtime/strips.h"

#include <algorithm>

#include "ops/rows.h"

namespace fovea {

Strips::Strips(const Plan& plan, const PlanStrips& steps, const std::vector<TensorDesc>& descs, const std::vector<char>& uses_outside) : steps_(steps) {
  const TensorDesc& made = descs[index_of(plan.steps[index_of(steps.first)].outputs[0])];
  rank_ = made.shape.rank();
  rows_ = Shape(made.shape.dims().first(index_of(steps.axis + 1)));
  for (int axis = 0; axis < steps.axis; ++axis) blocks_ *= rows_[axis];
  std::int64_t row_bytes = 1;  // of the widest value that passes
  for (int s = steps.first; s <= steps.last; ++s) {
    for (int v : plan.steps[index_of(s)].outputs) {
      if (v < 0 || uses_outside[index_of(v)]) continue;
      passing_.push_back(v);
      const std::int64_t rows = rows_.elements();
      if (rows > 0) row_bytes = std::max(row_bytes, static_cast<std::int64_t>(descs[index_of(v)].bytes()) / rows);
    }
  }
  std::sort(passing_.begin(), passing_.end());
  const std::int64_t extent = rows_[steps.axis];
  rows_per_strip_ = std::clamp<std::int64_t>(kStripBytes / row_bytes, 1, std::max<std::int64_t>(extent, 1));
  strips_per_block_ = (extent + rows_per_strip_ - 1) / rows_per_strip_;
}

bool Strips::passes(int value) const { return std::binary_search(passing_.begin(), passing_.end(), value); }

std::size_t Strips::bytes(const TensorDesc& desc) const {
  std::size_t row = size_of(desc.type);
  for (int axis = steps_.axis + 1; axis < rank_; ++axis) row *= static_cast<std::size_t>(desc.shape[axis]);
  return row * static_cast<std::size_t>(rows_per_strip_);
}

/// Axes 0 .. axis are cut where the value has them; they are counted from the right, as broadcasting does. All before the
/// last of them are left with one index, so that the part lies in one piece.
Datum Strips::cut(int value, int axis, const TensorDesc& desc, const void* address, std::int64_t strip) const {
  const std::int64_t block = strip / strips_per_block_, first = strip % strips_per_block_ * rows_per_strip_;
  const std::int64_t rows = std::min(rows_per_strip_, rows_[steps_.axis] - first);
  std::vector<std::int64_t> extents(desc.shape.dims().begin(), desc.shape.dims().end());
  std::int64_t offset = 0, rest = block;
  for (int at = steps_.axis; at >= 0; --at) {
    const std::int64_t index = at == steps_.axis ? first : rest % rows_[at];
    if (at != steps_.axis) rest /= rows_[at];
    const int own = at - (rank_ - desc.shape.rank());
    if (at > axis || own < 0 || extents[index_of(own)] != rows_[at]) continue;  // read whole, or broadcast
    extents[index_of(own)] = at == steps_.axis ? rows : 1;
    offset += index * desc.strides[own];
  }
  if (passes(value)) offset = 0;
  const auto begin = static_cast<const char*>(address) + offset * static_cast<std::int64_t>(size_of(desc.type));
  return Datum(Tensor::borrow(desc.type, Shape(extents), const_cast<char*>(begin)));
}

Datum Strips::input(const PlanStep& step, int index, const TensorDesc& desc, const void* address, std::int64_t strip) const {
  return cut(step.inputs[index_of(index)], ops::last_cut_axis(step.op, index, rank_, steps_.axis), desc, address, strip);
}

Datum Strips::output(const PlanStep& step, int index, const TensorDesc& desc, const void* address, std::int64_t strip) const {
  return cut(step.outputs[index_of(index)], steps_.axis, desc, address, strip);
}

}  // namespace fovea
