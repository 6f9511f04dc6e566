// SPDX-License-Identifier: Apache-2.0
// Multidirectional (numpy) broadcasting, once for the whole project: of shapes, concrete and symbolic,
// and of loops, as rows of constant stride.
#pragma once

#include <array>
#include <span>
#include <string_view>

#include "base/check.h"
#include "base/dim.h"
#include "fovea/tensor.h"

namespace fovea::ops {

/// The common shape, or InvalidArgument: "Add: shapes 2x3 and 4x3 do not broadcast".
Result<Shape> broadcast_shapes(std::string_view op, std::span<const Shape> shapes);
Result<Shape> broadcast_shapes(std::string_view op, const Shape& a, const Shape& b);
/// The same for shapes with symbols. Extents that are not known to be equal give max(a, b): exact whenever the
/// model is valid and nothing is empty.
Result<SymbolicShape> broadcast_shapes(std::string_view op, std::span<const SymbolicShape* const> shapes);
/// True when `from` stretches to exactly `to` (unidirectional broadcasting).
bool broadcasts_to(const Shape& from, const Shape& to);
/// Row-major strides of `from` aligned to the axes of `to`, 0 along stretched axes.
Shape broadcast_strides(const Shape& from, const Shape& to);

/// Elements below which waking threads costs more than it saves.
inline constexpr std::int64_t kParallelElements = 1 << 16;

/// A loop over an output shape with N operands, neighbouring axes merged where every operand allows it.
template <int N>
struct BroadcastLoop {
  Shape shape;  ///< at least rank 1
  std::array<Shape, N> strides;

  BroadcastLoop(const Shape& output, const std::array<const Shape*, N>& operands) {
    std::array<Shape, N> full;
    for (int k = 0; k < N; ++k) full[k] = broadcast_strides(*operands[k], output);
    for (int axis = 0; axis < output.rank(); ++axis) {
      if (output[axis] == 1) continue;
      const int last = shape.rank() - 1;
      bool merges = last >= 0;
      for (int k = 0; k < N && merges; ++k) merges = strides[k][last] == full[k][axis] * output[axis];
      if (merges) {
        shape[last] *= output[axis];
        for (int k = 0; k < N; ++k) strides[k][last] = full[k][axis];
      } else {
        shape.push_back(output[axis]);
        for (int k = 0; k < N; ++k) strides[k].push_back(full[k][axis]);
      }
    }
    if (shape.rank() == 0) {
      shape.push_back(1);
      for (int k = 0; k < N; ++k) strides[k].push_back(0);
    }
  }

  /// row(out_offset, offsets, strides, count): `count` outputs from out_offset on, operand k starting at offsets[k]
  /// with element stride strides[k].
  template <class Row>
  void for_each_row(Row&& row) const {
    if (shape.elements() == 0) return;
    const int outer_rank = shape.rank() - 1;
    const std::int64_t count = shape[outer_rank];
    std::array<std::int64_t, N> offsets{}, inner{};
    for (int k = 0; k < N; ++k) inner[k] = strides[k][outer_rank];
    std::array<std::int64_t, kMaxRank> index{};
    for (std::int64_t out = 0;; out += count) {
      row(out, offsets, inner, count);
      int axis = outer_rank - 1;
      for (; axis >= 0; --axis) {
        const auto a = static_cast<std::size_t>(axis);
        for (int k = 0; k < N; ++k) offsets[k] += strides[k][axis];
        if (++index[a] < shape[axis]) break;
        for (int k = 0; k < N; ++k) offsets[k] -= strides[k][axis] * shape[axis];
        index[a] = 0;
      }
      if (axis < 0) return;
    }
  }
};

/// body(i) for 0 <= i < count, on all threads where that pays. (An `if` clause would still found a team for each short row.)
template <class Body>
void for_each_index(std::int64_t count, const Body& body) {
  if (count > kParallelElements) {
#pragma omp parallel for schedule(static)
    for (std::int64_t i = 0; i < count; ++i) body(i);
  } else {
    for (std::int64_t i = 0; i < count; ++i) body(i);
  }
}

/// z = f(x, y) element by element over the broadcast shape; z is dense. Contiguous and scalar rows are tight loops.
template <class X, class Y, class Z, class F>
void broadcast_binary(const X* x, const Shape& x_shape, const Y* y, const Shape& y_shape, Z* z, const Shape& z_shape, F f) {
  const BroadcastLoop<2> loop(z_shape, {&x_shape, &y_shape});
  loop.for_each_row([&](std::int64_t out, const auto& offsets, const auto& strides, std::int64_t count) {
    const X* a = x + offsets[0];
    const Y* b = y + offsets[1];
    Z* c = z + out;
    if (strides[0] == 1 && strides[1] == 1) {
      for_each_index(count, [=](std::int64_t i) { c[i] = f(a[i], b[i]); });
    } else if (strides[0] == 1 && strides[1] == 0) {
      for_each_index(count, [=, scalar = *b](std::int64_t i) { c[i] = f(a[i], scalar); });
    } else if (strides[0] == 0 && strides[1] == 1) {
      for_each_index(count, [=, scalar = *a](std::int64_t i) { c[i] = f(scalar, b[i]); });
    } else {
      for (std::int64_t i = 0; i < count; ++i) c[i] = f(a[i * strides[0]], b[i * strides[1]]);
    }
  });
}

}  // namespace fovea::ops
