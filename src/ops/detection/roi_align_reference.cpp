// SPDX-License-Identifier: Apache-2.0
// RoiAlign, cell by cell: the mean of bilinear samples (clamped border), their maximum, or, as ONNX defines it, the
// maximum over their weighted corners. Regions that are empty or not finite give 0, and samples outside the map are 0.
#include <limits>

#include "base/element_types.h"
#include "ops/deform/bilinear.h"
#include "ops/detection/roi_align.h"
#include "ops/widen.h"

namespace fovea::ops {

namespace {

constexpr std::int64_t kMaxRotatedSamples = 4096;  // a side of a cell; without a cheap test of what lies on the map

/// Collects the samples of one cell for all channels.
class Cell {
 public:
  Cell(const RoiAlignParams& params, std::int64_t channels)
      : params_(params), values_(static_cast<std::size_t>(channels)) {}

  void clear() {
    std::fill(values_.begin(), values_.end(), params_.maximum ? -std::numeric_limits<double>::infinity() : 0.0);
    inside_ = 0;
  }
  template <class T>
  void add(const BilinearTaps& taps, const T* image, std::int64_t plane) {
    if (taps.count == 0) return;
    ++inside_;
    for (double& value : values_) {
      if (!params_.maximum)
        value += taps.sample(image);
      else if (params_.interpolated)
        value = std::max(value, taps.sample(image));
      else
        value = std::max(value, corner_maximum(taps, image));
      image += plane;
    }
  }
  /// `samples` counts those outside too.
  template <class T>
  void write(double samples, T* y, std::int64_t stride) const {
    for (double value : values_) {
      if (!params_.maximum)
        value /= std::max(samples, 1.0);
      else if (inside_ < samples || samples == 0)
        value = std::max(value, 0.0);
      *y = static_cast<T>(value);
      y += stride;
    }
  }

 private:
  template <class T>
  static double corner_maximum(const BilinearTaps& taps, const T* plane) {
    // A corner of weight 0 is a candidate of value 0.
    double value = taps.count < 4 ? 0.0 : -std::numeric_limits<double>::infinity();
    for (int t = 0; t < taps.count; ++t)
      value = std::max(value, taps.weight[t] * static_cast<double>(plane[taps.index[t]]));
    return value;
  }

  const RoiAlignParams& params_;
  std::vector<double> values_;
  double inside_ = 0;
};

/// One upright region: y [c, cells]. `image` is the region's.
template <class T>
void align_region(const RoiAlignParams& params, const PlacedRegion& region, const T* image, const Shape& shape, T* y) {
  const std::int64_t height = shape[2], width = shape[3], cells = params.output_height * params.output_width;
  const RoiAxis &rows = region.rows, &columns = region.columns;
  Cell cell(params, shape[1]);
  for (std::int64_t p = 0; p < cells; ++p) {
    const std::int64_t ph = p / params.output_width, pw = p % params.output_width;
    const RoiAxis::Range vertical = rows.samples > 0 ? rows.near_map(ph, height) : RoiAxis::Range{0, 0};
    const RoiAxis::Range horizontal = columns.samples > 0 ? columns.near_map(pw, width) : RoiAxis::Range{0, 0};
    cell.clear();
    for (std::int64_t iy = vertical.begin; iy < vertical.end; ++iy) {
      for (std::int64_t ix = horizontal.begin; ix < horizontal.end; ++ix) {
        cell.add(clamped_border_taps(rows.position(ph, iy), columns.position(pw, ix), height, width), image,
                 height * width);
      }
    }
    cell.write(static_cast<double>(rows.samples) * static_cast<double>(columns.samples), y + p, cells);
  }
}

/// One region (x, y, width, height, angle): the grid of the upright region about 0, turned, then moved to the centre.
template <class T>
Status align_rotated(const RoiAlignParams& params, double scale, const T* roi, const T* image, const Shape& shape,
                     T* y) {
  const std::int64_t height = shape[2], width = shape[3], cells = params.output_height * params.output_width;
  const double shift = params.half_pixel ? 0.5 : 0.0,
               angle = params.clockwise ? -static_cast<double>(roi[4]) : static_cast<double>(roi[4]);
  const double centre_x = static_cast<double>(roi[0]) * scale - shift,
               centre_y = static_cast<double>(roi[1]) * scale - shift;
  const T growth = params.roi_scale_factor > 0 ? static_cast<T>(params.roi_scale_factor) : T(1);
  const auto axis = [&](T size, std::int64_t count) {
    // Over several levels a region is at least 1 wide in either coordinate system.
    if (params.levels()) size = std::max(size * growth, static_cast<T>(1 / scale));
    RoiAxis found = roi_axis(params, scale, T(0), size, count);
    found.start = -found.cell * static_cast<double>(count) / 2;
    return found;
  };
  const RoiAxis columns = axis(roi[2], params.output_width), rows = axis(roi[3], params.output_height);
  if (std::max(rows.samples, columns.samples) > kMaxRotatedSamples) {
    return invalid_argument("rois: a region of ", roi[2], " x ", roi[3], " has more than ", kMaxRotatedSamples,
                            " samples a side of a cell");
  }
  const double cosine = std::cos(angle), sine = std::sin(angle);
  Cell cell(params, shape[1]);
  for (std::int64_t p = 0; p < cells; ++p) {
    cell.clear();
    for (std::int64_t iy = 0; iy < rows.samples; ++iy) {
      for (std::int64_t ix = 0; ix < columns.samples; ++ix) {
        const double v = rows.position(p / params.output_width, iy), u = columns.position(p % params.output_width, ix);
        cell.add(clamped_border_taps(v * cosine - u * sine + centre_y, v * sine + u * cosine + centre_x, height, width),
                 image, height * width);
      }
    }
    cell.write(static_cast<double>(rows.samples) * static_cast<double>(columns.samples), y + p, cells);
  }
  return {};
}

/// Which image each region lies on, checked.
Result<std::vector<std::int64_t>> image_numbers(KernelContext& context, const RoiAlignParams& params,
                                                const Tensor& rois, std::int64_t images) {
  std::vector<std::int64_t> numbers(static_cast<std::size_t>(rois.dim(0)));
  if (!params.image_in_roi) {
    const Tensor& batch = context.input(2);
    if (batch.type() != DataType::i64 || batch.rank() != 1 || batch.dim(0) != rois.dim(0)) {
      return invalid_argument("batch_indices: expected i64 [", rois.dim(0), "], found ", name(batch.type()), " ",
                              batch.shape().to_string());
    }
    std::copy_n(batch.data<std::int64_t>(), numbers.size(), numbers.begin());
    for (const std::int64_t n : numbers) {
      if (n < 0 || n >= images) return invalid_argument("batch_indices: ", n, " is outside 0..", images - 1);
    }
    return numbers;
  }
  for (std::size_t r = 0; r < numbers.size(); ++r) {
    const std::size_t at = r * static_cast<std::size_t>(params.roi_values);
    const double number =
        rois.type() == DataType::f64 ? rois.data<double>()[at] : static_cast<double>(rois.data<float>()[at]);
    numbers[r] = image_of(number, images);
    if (numbers[r] < 0)
      return invalid_argument("rois: image ", number, " of region ", r, " is outside 0..", images - 1);
  }
  return numbers;
}

Result<std::vector<Tensor>> level_maps(KernelContext& context, const RoiAlignParams& params) {
  std::vector<Tensor> maps;
  const int first = params.levels() ? 1 : 0, count = params.levels() ? static_cast<int>(params.strides.size()) : 1;
  if (params.levels() && context.num_inputs() != count + 1)
    return invalid_argument("expected ", count, " maps, one for each of featmap_strides, found ",
                            context.num_inputs() - 1);
  for (int i = first; i < first + count; ++i) {
    FOVEA_ASSIGN(Tensor map, widened(context.input(i)));
    if (map.rank() != 4) return invalid_argument("input ", i, ": expected rank 4, found ", map.shape().to_string());
    if (!maps.empty() &&
        (map.type() != maps[0].type() || map.dim(0) != maps[0].dim(0) || map.dim(1) != maps[0].dim(1))) {
      return invalid_argument("input ", i, ": expected ", name(maps[0].type()),
                              " with batch and channels of the first map, found ", name(map.type()), " ",
                              map.shape().to_string());
    }
    maps.push_back(std::move(map));
  }
  return maps;
}

}  // namespace

Status roi_align_reference(KernelContext& context) {
  FOVEA_ASSIGN(const RoiAlignParams params, RoiAlignParams::parse(context.op(), context.attributes()));
  FOVEA_ASSIGN(const std::vector<Tensor> maps, level_maps(context, params));
  FOVEA_ASSIGN(const Tensor rois, widened(context.input(params.levels() ? 0 : 1)));
  if (rois.rank() != 2 || rois.dim(1) != params.roi_values)
    return invalid_argument("rois: expected [regions, ", params.roi_values, "], found ", rois.shape().to_string());
  if (rois.type() != maps[0].type())
    return invalid_argument("rois: expected ", name(maps[0].type()), " like the map, found ", name(rois.type()));
  FOVEA_ASSIGN(const std::vector<std::int64_t> images, image_numbers(context, params, rois, maps[0].dim(0)));
  const Shape shape{rois.dim(0), maps[0].dim(1), params.output_height, params.output_width};
  FOVEA_ASSIGN(WideOutput y, WideOutput::create(context, 0, context.input(params.levels() ? 1 : 0).type(), shape));
  if (shape.elements() == 0) return y.finish();
  Status failed;
  // A pragma cannot stand inside a macro's argument, so the status is named first.
  Status status = dispatch<float, double>(maps[0].type(), "RoiAlign", [&](auto tag) -> Status {
    using T = typename decltype(tag)::type;
    const std::int64_t cells = shape[1] * shape[2] * shape[3];
#pragma omp parallel for schedule(dynamic) if (shape.elements() > (1 << 12))
    for (std::int64_t r = 0; r < shape[0]; ++r) {
      const T* const roi = rois.data<T>() + r * params.roi_values + (params.image_in_roi ? 1 : 0);
      PlacedRegion region;
      if (!params.rotated)
        region = place_region(params, roi);
      else if (params.levels())
        region.level = level_of(params, static_cast<double>(roi[2]), static_cast<double>(roi[3]));
      const double scale = params.levels() ? 1 / params.strides[region.level] : params.spatial_scale;
      const Tensor& map = maps[region.level];
      const T* const image = map.data<T>() + images[static_cast<std::size_t>(r)] * map.dim(1) * map.dim(2) * map.dim(3);
      if (!params.rotated) {
        align_region(params, region, image, map.shape(), y.data<T>() + r * cells);
      } else if (Status one = align_rotated(params, scale, roi, image, map.shape(), y.data<T>() + r * cells);
                 !one.ok()) {
#pragma omp critical
        failed = std::move(one);
      }
    }
    return failed;
  });
  if (!status.ok()) return status;
  return y.finish();
}

Status mmcv_roi_align_reference(KernelContext& context) { return roi_align_reference(context); }
Status mmcv_roi_align_rotated_reference(KernelContext& context) { return roi_align_reference(context); }
Status mmcv_multi_level_rotated_roi_align_reference(KernelContext& context) { return roi_align_reference(context); }
Status mmcv_multi_level_roi_align_reference(KernelContext& context) { return roi_align_reference(context); }

}  // namespace fovea::ops
