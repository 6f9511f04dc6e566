// SPDX-License-Identifier: Apache-2.0
// Multidirectional broadcasting of shapes: concrete for kernels, symbolic for shape rules.
#pragma once

#include <algorithm>
#include <optional>

#include "base/check.h"
#include "base/dim.h"
#include "fovea/tensor.h"

namespace fovea::ops {

inline Result<Shape> broadcast(const Shape& a, const Shape& b) {
  const int rank = std::max(a.rank(), b.rank());
  Shape result;
  for (int axis = 0; axis < rank; ++axis) {
    const int in_a = axis - (rank - a.rank()), in_b = axis - (rank - b.rank());
    const std::int64_t da = in_a < 0 ? 1 : a[in_a], db = in_b < 0 ? 1 : b[in_b];
    if (da != db && da != 1 && db != 1) return invalid_argument("shapes ", a.to_string(), " and ", b.to_string(), " do not broadcast");
    result.push_back(da == 1 ? db : da);
  }
  return result;
}

/// Empty when an extent cannot be told (two unrelated expressions); an error when two constants clash.
inline Result<std::optional<SymbolicShape>> broadcast(const SymbolicShape& a, const SymbolicShape& b) {
  const std::size_t rank = std::max(a.size(), b.size());
  SymbolicShape result;
  for (std::size_t axis = 0; axis < rank; ++axis) {
    const Dim da = axis + a.size() < rank ? Dim(1) : a[axis + a.size() - rank];
    const Dim db = axis + b.size() < rank ? Dim(1) : b[axis + b.size() - rank];
    if (da == db || db == Dim(1)) {
      result.push_back(da);
    } else if (da == Dim(1)) {
      result.push_back(db);
    } else if (da.is_constant() && db.is_constant()) {
      return invalid_argument("shapes ", to_string(a), " and ", to_string(b), " do not broadcast");
    } else if (da.is_constant() || db.is_constant()) {
      result.push_back(da.is_constant() ? da : db);
    } else {
      return std::optional<SymbolicShape>();
    }
  }
  return std::optional<SymbolicShape>(std::move(result));
}

}  // namespace fovea::ops
