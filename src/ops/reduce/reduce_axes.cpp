// SPDX-License-Identifier: Apache-2.0
#include "ops/reduce/reduce_axes.h"

namespace fovea::ops {

Result<int> normal_axis(std::string_view op, std::int64_t axis, int rank) {
  if (axis < -rank || axis >= rank) return invalid_argument(op, ": axis ", axis, " is out of range for rank ", rank);
  return static_cast<int>(axis < 0 ? axis + rank : axis);
}

Result<AxisSet> reduced_axes(std::string_view op, std::span<const std::int64_t> axes, bool noop, int rank) {
  if (rank > kMaxRank) return unsupported(op, ": rank ", rank, " is more than ", kMaxRank);
  AxisSet set{};
  if (axes.empty()) {
    set.fill(!noop);
    return set;
  }
  for (const std::int64_t axis : axes) {
    FOVEA_ASSIGN(const int normal, normal_axis(op, axis, rank));
    if (set[static_cast<std::size_t>(normal)]) return invalid_argument(op, ": axis ", axis, " is given twice");
    set[static_cast<std::size_t>(normal)] = true;
  }
  return set;
}

}  // namespace fovea::ops
