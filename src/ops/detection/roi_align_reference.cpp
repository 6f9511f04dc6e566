// SPDX-License-Identifier: Apache-2.0
// RoiAlign: each output cell is the mean of bilinear samples (clamped border), or the maximum over the samples'
// weighted corners, as ONNX defines it. Regions that are empty or not finite give 0.
#include "ops/detection/roi_align.h"

#include <limits>

#include "base/element_types.h"
#include "ops/deform/bilinear.h"
#include "ops/widen.h"

namespace fovea::ops {

namespace {

constexpr std::int64_t kMaxSamples = 1 << 20;

}  // namespace

Result<RoiAlignParams> RoiAlignParams::parse(const Attributes& attributes) {
  RoiAlignParams params;
  params.output_height = attributes.get_int("output_height", 1);
  params.output_width = attributes.get_int("output_width", 1);
  for (std::int64_t extent : {params.output_height, params.output_width}) {
    if (extent < 1 || extent > INT32_MAX) return invalid_model("output_height, output_width: expected numbers in 1..", INT32_MAX, ", found ", extent);
  }
  params.sampling_ratio = attributes.get_int("sampling_ratio", 0);
  if (params.sampling_ratio < 0 || params.sampling_ratio > 1024) {
    return invalid_model("sampling_ratio: expected a number in 0..1024, found ", params.sampling_ratio);
  }
  params.spatial_scale = attributes.get_float("spatial_scale", 1);
  const std::string mode = attributes.get_string("mode", "avg");
  if (mode != "avg" && mode != "max") return invalid_model("mode: expected avg or max, found '", mode, "'");
  params.maximum = mode == "max";
  const std::string coordinates = attributes.get_string("coordinate_transformation_mode", "half_pixel");
  if (coordinates != "half_pixel" && coordinates != "output_half_pixel") {
    return invalid_model("coordinate_transformation_mode: expected half_pixel or output_half_pixel, found '", coordinates, "'");
  }
  params.half_pixel = coordinates == "half_pixel";
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
RoiAxis roi_axis(const RoiAlignParams& params, T low, T high, std::int64_t cells) {
  const T scale = static_cast<T>(params.spatial_scale), shift = static_cast<T>(params.half_pixel ? 0.5 : 0.0);
  const T start = low * scale - shift;
  T extent = high * scale - shift - start;
  if (!params.half_pixel && !(extent > 1)) extent = 1;
  const T cell = extent / static_cast<T>(cells);
  RoiAxis axis{static_cast<double>(start), static_cast<double>(cell), 0};
  if (!std::isfinite(start) || !std::isfinite(cell)) return axis;
  const double adaptive = std::clamp(static_cast<double>(std::ceil(cell)), 0.0, static_cast<double>(kMaxSamples));
  axis.samples = params.sampling_ratio > 0 ? params.sampling_ratio : static_cast<std::int64_t>(adaptive);
  return axis;
}
template RoiAxis roi_axis(const RoiAlignParams&, float, float, std::int64_t);
template RoiAxis roi_axis(const RoiAlignParams&, double, double, std::int64_t);

namespace {

/// One region: y [c, cells]. `x` is the region's image.
template <class T>
void align_region(const RoiAlignParams& params, const T* x, const Shape& shape, const T* roi, T* y) {
  const std::int64_t channels = shape[1], height = shape[2], width = shape[3];
  const RoiAxis columns = roi_axis(params, roi[0], roi[2], params.output_width);
  const RoiAxis rows = roi_axis(params, roi[1], roi[3], params.output_height);
  const double samples = static_cast<double>(rows.samples) * static_cast<double>(columns.samples);
  const std::int64_t cells = params.output_height * params.output_width;
  std::vector<double> values(static_cast<std::size_t>(channels));
  for (std::int64_t cell = 0; cell < cells; ++cell) {
    const std::int64_t ph = cell / params.output_width, pw = cell % params.output_width;
    const RoiAxis::Range vertical = rows.samples > 0 ? rows.near_map(ph, height) : RoiAxis::Range{0, 0};
    const RoiAxis::Range horizontal = columns.samples > 0 ? columns.near_map(pw, width) : RoiAxis::Range{0, 0};
    std::fill(values.begin(), values.end(), params.maximum ? -std::numeric_limits<double>::infinity() : 0.0);
    double inside = 0;
    for (std::int64_t iy = vertical.begin; iy < vertical.end; ++iy) {
      for (std::int64_t ix = horizontal.begin; ix < horizontal.end; ++ix) {
        const BilinearTaps taps = clamped_border_taps(rows.position(ph, iy), columns.position(pw, ix), height, width);
        if (taps.count == 0) continue;
        ++inside;
        for (std::int64_t c = 0; c < channels; ++c) {
          const T* const plane = x + c * height * width;
          double& value = values[static_cast<std::size_t>(c)];
          if (!params.maximum) value += taps.sample(plane);
          for (int t = 0; params.maximum && t < taps.count; ++t) value = std::max(value, taps.weight[t] * static_cast<double>(plane[taps.index[t]]));
          // A corner of weight 0 is a candidate of value 0.
          if (params.maximum && taps.count < 4) value = std::max(value, 0.0);
        }
      }
    }
    for (std::int64_t c = 0; c < channels; ++c) {
      double value = values[static_cast<std::size_t>(c)];
      if (!params.maximum) value /= std::max(samples, 1.0);
      else if (inside < samples || samples == 0) value = std::max(value, 0.0);  // samples outside the map are 0
      y[c * cells + cell] = static_cast<T>(value);
    }
  }
}

}  // namespace

Status roi_align_reference(KernelContext& context) {
  const Tensor &input = context.input(0), &batch = context.input(2);
  FOVEA_ASSIGN(const RoiAlignParams params, RoiAlignParams::parse(context.attributes()));
  if (input.rank() != 4) return invalid_argument("input 0: expected rank 4, found ", input.shape().to_string());
  FOVEA_ASSIGN(const Tensor x, widened(input));
  FOVEA_ASSIGN(const Tensor rois, widened(context.input(1)));
  if (rois.rank() != 2 || rois.dim(1) != 4) return invalid_argument("rois: expected [regions, 4], found ", rois.shape().to_string());
  if (rois.type() != x.type()) return invalid_argument("rois: expected ", name(x.type()), " like input 0, found ", name(rois.type()));
  if (batch.type() != DataType::i64 || batch.rank() != 1 || batch.dim(0) != rois.dim(0)) {
    return invalid_argument("batch_indices: expected i64 [", rois.dim(0), "], found ", name(batch.type()), " ", batch.shape().to_string());
  }
  for (std::int64_t n : batch.values<std::int64_t>()) {
    if (n < 0 || n >= x.dim(0)) return invalid_argument("batch_indices: ", n, " is outside 0..", x.dim(0) - 1);
  }
  const Shape shape{rois.dim(0), x.dim(1), params.output_height, params.output_width};
  FOVEA_ASSIGN(WideOutput y, WideOutput::create(context, 0, input.type(), shape));
  if (shape.elements() == 0) return y.finish();
  // A pragma cannot stand inside a macro's argument, so the status is named first.
  Status status = dispatch<float, double>(x.type(), "RoiAlign", [&](auto tag) -> Status {
    using T = typename decltype(tag)::type;
    const std::int64_t image = x.dim(1) * x.dim(2) * x.dim(3), region = shape[1] * shape[2] * shape[3];
#pragma omp parallel for schedule(dynamic) if (shape.elements() > (1 << 12))
    for (std::int64_t r = 0; r < shape[0]; ++r) {
      align_region(params, x.data<T>() + batch.data<std::int64_t>()[r] * image, x.shape(), rois.data<T>() + r * 4, y.data<T>() + r * region);
    }
    return {};
  });
  if (!status.ok()) return status;
  return y.finish();
}

}  // namespace fovea::ops
