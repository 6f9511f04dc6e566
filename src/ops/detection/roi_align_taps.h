// SPDX-License-Identifier: Apache-2.0
// The mean of RoiAlign as two sparse matrices: bilinear sampling on a grid is separable, so the weights of all samples
// of a cell are summed per row and per column of the map, and no row or column is weighed twice.
#pragma once

#include <cstdint>

#include "ops/detection/roi_align.h"

namespace fovea::cpu {

/// Weights of each cell along one axis: entries begin[p] .. begin[p + 1] - 1 belong to cell p, by rising index.
struct AxisWeights {
  std::int32_t* begin;  ///< cells + 1
  std::int32_t* index;  ///< of the map's rows or columns
  float* weight;        ///< none is 0

  /// Samples rise or fall steadily, so neighbouring cells share at most two indices.
  static std::int64_t capacity(std::int64_t cells, std::int64_t extent) { return extent + 2 * cells + 2; }
  /// `line` is extent zeros, and is left so.
  void fill(const ops::RoiAxis& axis, std::int64_t cells, std::int64_t extent, double* line) const;
};

/// One region of a plane (nchw): columns first .. of the map that are read, and their weights as a dense matrix.
struct PlaneWeights {
  AxisWeights rows, columns;
  std::int64_t output_height, output_width;
  std::int64_t width;  ///< of the map
  std::int64_t count;  ///< columns read
  bool listed;         ///< as `read` lists them; else neighbours from read[0] on, whole vectors of them in the row
  std::int32_t* read;  ///< padded to whole vectors by repeating the last
  float* dense;        ///< [count][padded_width]
  float* sums;         ///< scratch [output_height][count padded to 16]

  std::int64_t padded_width() const { return (output_width + 7) / 8 * 8; }
  std::int64_t padded_count() const { return (count + 15) / 16 * 16; }
  /// Finds read, count and dense from columns. `slot` is scratch of `width` numbers.
  void spread_columns(std::int32_t* slot);
};

struct RoiAlignFunctions {
  /// One plane. False when a result is not finite: elements were multiplied with weights of 0, which an infinite one or
  /// a NaN does not survive.
  bool (*plane)(const PlaneWeights& weights, const float* plane, float* y);
  /// All channels of one region in nhwc; distances of rows and columns as given. `sums` is scratch of 16 floats for
  /// each column of the map.
  void (*pixels)(const PlaneWeights& weights, const float* image, std::int64_t channels, std::int64_t row,
                 std::int64_t column, float* y, std::int64_t y_row, std::int64_t y_column, float* sums);
};

const RoiAlignFunctions& roi_align_functions();

}  // namespace fovea::cpu
