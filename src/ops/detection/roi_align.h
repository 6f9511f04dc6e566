// SPDX-License-Identifier: Apache-2.0
// Parameters of RoiAlign and the sampling grid of one region.
#pragma once

#include "base/attributes.h"
#include "base/check.h"

namespace fovea::ops {

struct RoiAlignParams {
  std::int64_t output_height = 1, output_width = 1;
  std::int64_t sampling_ratio = 0;  ///< samples per side of a cell; 0: as many as the cell has elements
  double spatial_scale = 1;
  bool maximum = false;             ///< maximum instead of mean
  bool half_pixel = true;           ///< elements are centred at halves; regions may be empty. Otherwise at least 1 wide

  static Result<RoiAlignParams> parse(const Attributes& attributes);
};

/// The samples of one region along one axis: sample i of cell p lies at start + (p + (i + 0.5) / samples) * cell.
struct RoiAxis {
  double start = 0, cell = 0;
  std::int64_t samples = 0;  ///< per cell; 0 when the region is empty or not finite

  double position(std::int64_t p, std::int64_t i) const {
    return start + static_cast<double>(p) * cell + (static_cast<double>(i) + 0.5) * cell / static_cast<double>(samples);
  }
  /// Samples begin..end-1 of cell p: all that can lie inside -1..extent, so that a huge region costs no more
  /// than the map it is laid on.
  struct Range {
    std::int64_t begin, end;
  };
  Range near_map(std::int64_t p, std::int64_t extent) const;
};
/// `low` and `high` are coordinates of the region, `cells` those of the output. Extents are found in T (float or
/// double), the type of the coordinates: at whole numbers that decides about the number of samples.
template <class T>
RoiAxis roi_axis(const RoiAlignParams& params, T low, T high, std::int64_t cells);

}  // namespace fovea::ops
