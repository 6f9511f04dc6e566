// SPDX-License-Identifier: Apache-2.0
// Axes of a reduction: from attribute or input to a checked set, and the shapes that follow.
#pragma once

#include <array>
#include <span>
#include <string_view>

#include "base/check.h"
#include "base/dim.h"
#include "fovea/tensor.h"

namespace fovea::ops {

/// -rank..rank-1 to 0..rank-1, or InvalidArgument: "ReduceSum: axis 4 is out of range for rank 3".
Result<int> normal_axis(std::string_view op, std::int64_t axis, int rank);

using AxisSet = std::array<bool, kMaxRank>;

/// No axes mean all of them, or none when `noop` is set.
Result<AxisSet> reduced_axes(std::string_view op, std::span<const std::int64_t> axes, bool noop, int rank);

/// `shape` with the axes of the set made 1 (keepdims) or dropped.
template <class AnyShape>
AnyShape reduced_shape(const AnyShape& shape, const AxisSet& axes, bool keepdims) {
  AnyShape result;
  std::size_t axis = 0;
  for (const auto& extent : shape) {
    if (!axes[axis++]) result.push_back(extent);
    else if (keepdims) result.push_back(1);
  }
  return result;
}

}  // namespace fovea::ops
