// SPDX-License-Identifier: Apache-2.0
#include "ops/elementwise/broadcast.h"

#include <algorithm>

namespace fovea::ops {

namespace {

template <class List, class Text>
Status mismatch(std::string_view op, const List& shapes, Text text) {
  std::string all;
  for (std::size_t i = 0; i < shapes.size(); ++i) all += (i == 0 ? "" : i + 1 == shapes.size() ? " and " : ", ") + text(shapes[i]);
  return invalid_argument(op, ": shapes ", all, " do not broadcast to a common shape");
}

}  // namespace

Result<Shape> broadcast_shapes(std::string_view op, std::span<const Shape> shapes) {
  int rank = 0;
  for (const Shape& shape : shapes) rank = std::max(rank, shape.rank());
  Shape result;
  for (int axis = 0; axis < rank; ++axis) {
    std::int64_t extent = 1;
    for (const Shape& shape : shapes) {
      const int own = axis - (rank - shape.rank());
      if (own < 0 || shape[own] == 1) continue;
      if (extent != 1 && extent != shape[own]) return mismatch(op, shapes, [](const Shape& s) { return s.to_string(); });
      extent = shape[own];
    }
    result.push_back(extent);
  }
  return result;
}

Result<Shape> broadcast_shapes(std::string_view op, const Shape& a, const Shape& b) {
  const Shape both[] = {a, b};
  return broadcast_shapes(op, both);
}

Result<SymbolicShape> broadcast_shapes(std::string_view op, std::span<const SymbolicShape* const> shapes) {
  std::size_t rank = 0;
  for (const SymbolicShape* shape : shapes) rank = std::max(rank, shape->size());
  SymbolicShape result(rank, Dim(1));
  for (std::size_t axis = 0; axis < rank; ++axis) {
    Dim& extent = result[axis];
    for (const SymbolicShape* shape : shapes) {
      if (axis + shape->size() < rank) continue;
      const Dim& own = (*shape)[axis + shape->size() - rank];
      const bool one = own.is_constant() && own.constant() == 1;
      if (one || own == extent) continue;
      if (extent.is_constant() && extent.constant() == 1) {
        extent = own;
      } else if (extent.is_constant() && own.is_constant()) {
        return mismatch(op, shapes, [](const SymbolicShape* s) { return to_string(*s); });
      } else if (own.is_constant()) {
        extent = own;
      } else if (!extent.is_constant()) {
        extent = max(extent, own);
      }
    }
  }
  return result;
}

bool broadcasts_to(const Shape& from, const Shape& to) {
  if (from.rank() > to.rank()) return false;
  for (int axis = 0; axis < from.rank(); ++axis) {
    if (from[axis] != 1 && from[axis] != to[axis + to.rank() - from.rank()]) return false;
  }
  return true;
}

Shape broadcast_strides(const Shape& from, const Shape& to) {
  Shape strides = to;
  std::int64_t stride = 1;
  for (int axis = to.rank() - 1; axis >= 0; --axis) {
    const int own = axis - (to.rank() - from.rank());
    const bool stretched = own < 0 || (from[own] == 1 && to[axis] != 1);
    strides[axis] = stretched ? 0 : stride;
    if (own >= 0) stride *= from[own];
  }
  return strides;
}

}  // namespace fovea::ops
