// SPDX-License-Identifier: Apache-2.0
// The RoiAlign operators: one geometry under several names.
//   RoiAlign                            x, rois [R,4] = (x1, y1, x2, y2), batch_indices [R]
//   mmcv::MMCVRoiAlign                  x, rois [R,5] = (image, x1, y1, x2, y2)
//   mmcv::MMCVRoIAlignRotated           x, rois [R,6] = (image, x, y, width, height, angle in radians)
//   mmdeploy::MMCVMultiLevelRoiAlign    rois [R,5], one map a level; a region's size finds its level
//   mmdeploy::MMCVMultiLevelRotatedRoiAlign    rois [R,6], the same
// Output [R, channels, output_height, output_width].
#pragma once

#include <string_view>
#include <vector>

#include "base/attributes.h"
#include "base/check.h"

namespace fovea::ops {

struct RoiAlignParams {
  std::int64_t output_height = 1, output_width = 1;
  std::int64_t sampling_ratio = 0;  ///< samples per side of a cell; 0: as many as the cell has elements
  double spatial_scale = 1;
  bool maximum = false;       ///< maximum instead of mean
  bool interpolated = false;  ///< the maximum is that of the samples; ONNX takes that of their weighted corners
  bool half_pixel = true;     ///< elements are centred at halves; regions may be empty. Otherwise at least 1 wide
  int roi_values = 4;         ///< numbers a region
  bool image_in_roi = false;  ///< the first of them is the image's number
  bool rotated = false, clockwise = false;

  // Several levels; none: one map.
  std::vector<double> strides = {};  ///< of each level's map
  double roi_scale_factor = 0;       ///< > 0: regions grow about their centre, pixels counted from first to last
  double finest_scale = 56;          ///< edge below which a region belongs to level 1 or 0

  static Result<RoiAlignParams> parse(std::string_view op, const Attributes& attributes);
  bool levels() const { return !strides.empty(); }
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
RoiAxis roi_axis(const RoiAlignParams& params, double spatial_scale, T low, T high, std::int64_t cells);

/// An upright region on its map.
struct PlacedRegion {
  std::size_t level = 0;
  RoiAxis rows, columns;
};
/// `box` is (x1, y1, x2, y2) as the input gives it.
template <class T>
PlacedRegion place_region(const RoiAlignParams& params, const T* box);

/// A region's level by its area; a region of no area belongs to level 0.
std::size_t level_of(const RoiAlignParams& params, double width, double height);

/// The image's number that stands as a float in a region, or -1 when there is no such image.
template <class T>
std::int64_t image_of(T number, std::int64_t images) {
  return number >= 0 && number < static_cast<T>(images) ? static_cast<std::int64_t>(number) : -1;
}

}  // namespace fovea::ops
