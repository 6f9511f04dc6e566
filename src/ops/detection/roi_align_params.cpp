// SPDX-License-Identifier: Apache-2.0
#include "ops/detection/roi_align.h"

#include <algorithm>
#include <cmath>
#include <string>

namespace fovea::ops {

namespace {

constexpr std::int64_t kMaxSamples = 1 << 20;
constexpr std::size_t kMaxLevels = 10;

Status parse_levels(const Attributes& attributes, RoiAlignParams& params) {
  params.strides = attributes.get_floats("featmap_strides");
  if (params.strides.empty() || params.strides.size() > kMaxLevels)
    return invalid_model("featmap_strides: expected 1..", kMaxLevels, " numbers, found ", params.strides.size());
  for (const double stride : params.strides) {
    if (!(stride > 0)) return invalid_model("featmap_strides: expected numbers above 0, found ", stride);
  }
  params.roi_scale_factor = attributes.get_float("roi_scale_factor", -1);
  params.finest_scale = static_cast<double>(attributes.get_int("finest_scale", 56));
  if (!(params.finest_scale > 0))
    return invalid_model("finest_scale: expected a number above 0, found ", params.finest_scale);
  return {};
}

}  // namespace

Result<RoiAlignParams> RoiAlignParams::parse(std::string_view op, const Attributes& attributes) {
  const bool onnx = op == "RoiAlign", rotated_levels = op == "mmdeploy::MMCVMultiLevelRotatedRoiAlign";
  const bool multi_level = rotated_levels || op == "mmdeploy::MMCVMultiLevelRoiAlign";
  RoiAlignParams params;
  params.rotated = rotated_levels || op == "mmcv::MMCVRoIAlignRotated";
  params.image_in_roi = params.interpolated = !onnx;
  params.roi_values = onnx ? 4 : params.rotated ? 6 : 5;
  params.output_height = attributes.get_int("output_height", onnx ? 1 : 7);
  params.output_width = attributes.get_int("output_width", onnx ? 1 : 7);
  for (std::int64_t extent : {params.output_height, params.output_width}) {
    if (extent < 1 || extent > INT32_MAX)
      return invalid_model("output_height, output_width: expected numbers in 1..", INT32_MAX, ", found ", extent);
  }
  params.sampling_ratio = attributes.get_int("sampling_ratio", multi_level ? 2 : 0);
  if (params.sampling_ratio < 0 && !onnx) params.sampling_ratio = 0;
  if (params.sampling_ratio < 0 || params.sampling_ratio > 1024) {
    return invalid_model("sampling_ratio: expected a number in 0..1024, found ", params.sampling_ratio);
  }
  params.spatial_scale = attributes.get_float("spatial_scale", 1);
  if (!onnx && !(params.spatial_scale > 0))
    return invalid_model("spatial_scale: expected a number above 0, found ", params.spatial_scale);
  if (multi_level) {
    FOVEA_RETURN_IF_ERROR(parse_levels(attributes, params));
    const std::int64_t mode = attributes.get_int("pool_mode", 0);
    if (mode != 0 && mode != 1) return invalid_model("pool_mode: expected 0 (max) or 1 (avg), found ", mode);
    params.maximum = mode == 0 && !params.rotated;
  } else {
    const std::string mode = attributes.get_string("mode", "avg");
    if (mode != "avg" && mode != "max") return invalid_model("mode: expected avg or max, found '", mode, "'");
    params.maximum = mode == "max";
  }
  const std::string coordinates = attributes.get_string("coordinate_transformation_mode", "half_pixel");
  if (coordinates != "half_pixel" && coordinates != "output_half_pixel") {
    return invalid_model("coordinate_transformation_mode: expected half_pixel or output_half_pixel, found '",
                         coordinates, "'");
  }
  params.half_pixel = onnx ? coordinates == "half_pixel" : attributes.get_int("aligned", multi_level ? 0 : 1) != 0;
  params.clockwise = attributes.get_int("clockwise", 0) != 0;
  return params;
}

RoiAxis::Range RoiAxis::near_map(std::int64_t p, std::int64_t extent) const {
  const double step = cell / static_cast<double>(samples), first = position(p, 0);
  if (!(step > 0)) return {0, samples};
  const double limit = static_cast<double>(samples);
  const double begin = std::clamp(std::floor((-1 - first) / step), 0.0, limit);
  const double end = std::clamp(std::ceil((static_cast<double>(extent) - first) / step) + 1, begin, limit);
  return {static_cast<std::int64_t>(begin), static_cast<std::int64_t>(end)};
}

template <class T>
RoiAxis roi_axis(const RoiAlignParams& params, double spatial_scale, T low, T high, std::int64_t cells) {
  const T scale = static_cast<T>(spatial_scale), shift = static_cast<T>(params.half_pixel ? 0.5 : 0.0);
  const T start = low * scale - shift;
  T extent = high * scale - shift - start;
  if (!params.half_pixel && !(extent > 1)) extent = 1;
  if (params.levels() && !(extent > 0)) extent = 0;
  const T cell = extent / static_cast<T>(cells);
  RoiAxis axis{static_cast<double>(start), static_cast<double>(cell), 0};
  if (!std::isfinite(start) || !std::isfinite(cell)) return axis;
  const double adaptive = std::clamp(static_cast<double>(std::ceil(cell)), 0.0, static_cast<double>(kMaxSamples));
  axis.samples = params.sampling_ratio > 0 ? params.sampling_ratio : static_cast<std::int64_t>(adaptive);
  return axis;
}
template RoiAxis roi_axis(const RoiAlignParams&, double, float, float, std::int64_t);
template RoiAxis roi_axis(const RoiAlignParams&, double, double, double, std::int64_t);

std::size_t level_of(const RoiAlignParams& params, double width, double height) {
  const double level = std::floor(std::log2(std::sqrt(width * height) / params.finest_scale + 1e-6));
  return level > 0 ? static_cast<std::size_t>(std::min(level, static_cast<double>(params.strides.size() - 1)))
                   : 0;  // NaN is not above 0
}

template <class T>
PlacedRegion place_region(const RoiAlignParams& params, const T* box) {
  T x1 = box[0], y1 = box[1], x2 = box[2], y2 = box[3];
  PlacedRegion region;
  double scale = params.spatial_scale;
  if (params.levels()) {
    region.level = level_of(params, x2 - x1, y2 - y1);
    scale = 1 / params.strides[region.level];
  }
  if (params.roi_scale_factor > 0) {
    const auto grow = [&](T& low, T& high) {
      const T centre = (low + high) / 2,
              half = (high - low + 1) * static_cast<T>(params.roi_scale_factor / 2) - static_cast<T>(0.5);
      low = centre - half;
      high = centre + half;
    };
    grow(x1, x2);
    grow(y1, y2);
  }
  region.columns = roi_axis(params, scale, x1, x2, params.output_width);
  region.rows = roi_axis(params, scale, y1, y2, params.output_height);
  return region;
}
template PlacedRegion place_region(const RoiAlignParams&, const float*);
template PlacedRegion place_region(const RoiAlignParams&, const double*);

}  // namespace fovea::ops
