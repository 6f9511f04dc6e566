// SPDX-License-Identifier: Apache-2.0
// Checked reading of axes and small integer inputs, shared by shape rules and kernels.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/check.h"
#include "fovea/tensor.h"

namespace fovea::ops {

/// axis in [-rank, rank) -> [0, rank).
inline Result<int> normalize_axis(std::int64_t axis, int rank) {
  if (axis < -rank || axis >= rank) return invalid_argument("axis ", axis, " is out of range for rank ", rank);
  return static_cast<int>(axis < 0 ? axis + rank : axis);
}

/// The same for a list, which must not name an axis twice.
inline Result<std::vector<int>> normalize_axes(std::span<const std::int64_t> axes, int rank) {
  std::vector<int> normal;
  std::vector<char> seen(static_cast<std::size_t>(rank), 0);
  for (std::int64_t axis : axes) {
    FOVEA_ASSIGN(const int at, normalize_axis(axis, rank));
    if (seen[static_cast<std::size_t>(at)]++) return invalid_argument("axis ", axis, " is given twice");
    normal.push_back(at);
  }
  return normal;
}

/// All elements of an i32 or i64 tensor of any rank, in memory order. `what` names it in messages.
inline Result<std::vector<std::int64_t>> index_values(const Tensor& tensor, const char* what) {
  if (tensor.type() == DataType::i64) {
    const auto values = tensor.values<std::int64_t>();
    return std::vector<std::int64_t>(values.begin(), values.end());
  }
  if (tensor.type() == DataType::i32) {
    const auto values = tensor.values<std::int32_t>();
    return std::vector<std::int64_t>(values.begin(), values.end());
  }
  return invalid_argument(what, ": expected element type i32 or i64, found ", name(tensor.type()));
}

/// The same for a list: rank 0 or 1, e.g. axes, pads, target shapes.
inline Result<std::vector<std::int64_t>> int_values(const Tensor& tensor, const char* what) {
  if (tensor.rank() > 1) return invalid_argument(what, ": expected a list of integers, found rank ", tensor.rank());
  return index_values(tensor, what);
}

/// index in [-extent, extent) -> [0, extent).
inline Result<std::int64_t> normalize_index(std::int64_t index, std::int64_t extent) {
  if (index < -extent || index >= extent) return invalid_argument("index ", index, " is out of range for extent ", extent);
  return index < 0 ? index + extent : index;
}

/// The single element of such a tensor.
inline Result<std::int64_t> int_value(const Tensor& tensor, const char* what) {
  FOVEA_ASSIGN(const auto values, int_values(tensor, what));
  if (values.size() != 1) return invalid_argument(what, ": expected one integer, found ", values.size());
  return values[0];
}

/// A shape from numbers computed from a model: checks the rank (extents are checked where memory is allocated).
inline Result<Shape> make_shape(std::span<const std::int64_t> dims) {
  if (dims.size() > kMaxRank) return unsupported("rank ", dims.size(), ": at most ", kMaxRank, " dimensions are supported");
  return Shape(dims);
}

}  // namespace fovea::ops
