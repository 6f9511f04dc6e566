// SPDX-License-Identifier: Apache-2.0
// StridedCopy: the one engine behind Transpose, Slice, Expand, Tile, Concat, Split and Pad. It moves elements of
// any size between two strided views. Making one normalises the axes; running it allocates nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "fovea/tensor.h"

namespace fovea {

/// Row-major strides in elements.
Shape dense_strides(const Shape& shape);

class StridedCopy {
 public:
  /// Tile needs two axes for each axis of its input.
  static constexpr int kMaxAxes = 2 * kMaxRank;

  /// Strides are in elements, one per extent. Source strides may be 0 (repeat) or negative (reverse); destination
  /// strides must be positive and must not make elements overlap. Spans have at most kMaxAxes entries.
  /// `element_bytes` is one of 1, 2, 4, 8, 16.
  StridedCopy(std::size_t element_bytes, std::span<const std::int64_t> extents, std::span<const std::int64_t> src_strides,
              std::span<const std::int64_t> dst_strides);

  /// `src` and `dst` point at the element with all indices 0; the views must not overlap.
  void run(const void* src, void* dst) const { run_part(src, dst, 0, 1); }
  /// Does the share `part` of `parts` of the work: threads call it with distinct parts.
  void run_part(const void* src, void* dst, int part, int parts) const;

 private:
  struct Axis {
    std::int64_t extent, src, dst;  // strides in bytes
  };
  template <std::size_t kBytes>
  void run_axes(const Axis* axes, const std::byte* src, std::byte* dst) const;

  Axis axes_[kMaxAxes + 2];  // outermost first; the last one or two are the inner loop
  int count_ = 0;
  std::size_t element_bytes_;
  bool empty_ = false;
};

/// The same for any element type, std::string included; pointers are to elements of `type`.
void strided_copy(DataType type, std::span<const std::int64_t> extents, const void* src, std::span<const std::int64_t> src_strides,
                  void* dst, std::span<const std::int64_t> dst_strides);

/// Address of element `offset` (may be negative) of a buffer of `type`.
inline const void* element_at(DataType type, const void* data, std::int64_t offset) {
  return static_cast<const std::byte*>(data) + offset * static_cast<std::int64_t>(size_of(type));
}
inline void* element_at(DataType type, void* data, std::int64_t offset) {
  return static_cast<std::byte*>(data) + offset * static_cast<std::int64_t>(size_of(type));
}

}  // namespace fovea
