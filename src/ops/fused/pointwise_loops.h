// SPDX-License-Identifier: Apache-2.0
// How the tensors of an elementwise problem are walked: axes in the output's memory order, neighbours joined where every
// tensor runs through, the two innermost cut into tiles. Any strides; 0 along broadcast axes.
#pragma once

#include <cstdint>
#include <vector>

#include "device/kernel.h"

namespace fovea::cpu {

/// Elements that pass through a program at a time, so that they stay in the L1 cache.
inline constexpr std::int64_t kTile = 1024;

/// One tensor over the loop axes, outermost first; strides in elements.
struct PointwiseStream {
  std::size_t element = 0;  ///< bytes; 0 for a missing input
  std::vector<std::int64_t> strides;

  std::int64_t row_stride() const { return strides[strides.size() - 2]; }
  std::int64_t column_stride() const { return strides.back(); }
};

/// Where a tile lies: `rows` x `columns` elements, at most kTile.
struct TilePlace {
  std::int64_t outer = 0, row = 0, column = 0, rows = 1, columns = 1;

  std::int64_t elements() const { return rows * columns; }
};

class PointwiseLoops {
 public:
  PointwiseLoops() = default;
  explicit PointwiseLoops(const Problem& problem);

  const std::vector<PointwiseStream>& inputs() const { return inputs_; }
  const std::vector<PointwiseStream>& outputs() const { return outputs_; }
  std::int64_t elements() const { return outer_ * rows_ * inner_; }
  std::int64_t tiles() const { return outer_ * row_tiles_ * inner_tiles_; }
  TilePlace place(std::int64_t tile) const;
  /// Of a tile's first element in a stream, in elements.
  std::int64_t offset(const PointwiseStream& stream, const TilePlace& place) const;

 private:
  void find_axes(const Problem& problem);

  std::vector<PointwiseStream> inputs_, outputs_;
  std::vector<std::int64_t> extents_;  // without the two innermost
  std::int64_t outer_ = 1, rows_ = 1, inner_ = 1;
  std::int64_t rows_per_tile_ = 1, row_tiles_ = 1, inner_tiles_ = 1;
};

/// The tile's elements lie one behind the other.
inline bool is_consecutive(const PointwiseStream& stream, const TilePlace& place) {
  return stream.column_stride() == 1 && (place.rows == 1 || stream.row_stride() == place.columns);
}

/// Copies a tile out of a tensor into consecutive elements, and back.
void gather_tile(const void* src, const PointwiseStream& stream, const TilePlace& place, void* dst);
void scatter_tile(const void* src, void* dst, const PointwiseStream& stream, const TilePlace& place);

}  // namespace fovea::cpu
