// SPDX-License-Identifier: Apache-2.0
// DCNv4: coordinates in f32, the type they are defined in, whatever the storage; everything else in f64, rounded once.
// A point that samples nothing (outside, NaN) adds nothing, but counts in the softmax.
#include <algorithm>
#include <cmath>

#include "base/element_types.h"
#include "ops/deform/bilinear.h"
#include "ops/deform/dcnv4.h"
#include "ops/widen.h"

namespace fovea::ops {

namespace {

/// The numbers of one pixel and group.
struct PointNumbers {
  const float *offsets, *factors;
};

void softmax(std::vector<double>& values) {
  const double top = *std::max_element(values.begin(), values.end());
  double sum = 0;
  for (double& v : values) sum += v = std::exp(v - top);
  for (double& v : values) v /= sum;
}

class Sampler {
 public:
  Sampler(const Dcnv4Params& params, const Dcnv4Geometry& geometry) : params_(params), geometry_(geometry), window_(params.window()) {}

  /// All channels of one output pixel and group. `value` is the image.
  void sample(const float* value, PointNumbers numbers, std::int64_t oy, std::int64_t ox, std::int64_t g, float* y) const {
    std::vector<double> factors(numbers.factors, numbers.factors + window_.size());
    if (params_.softmax) softmax(factors);
    std::vector<double> sums(static_cast<std::size_t>(params_.group_channels));
    for (std::size_t k = 0; k < window_.size(); ++k) {
      const float px = position(params_.x, ox, window_[k].x, numbers.offsets[2 * k]);
      const float py = position(params_.y, oy, window_[k].y, numbers.offsets[2 * k + 1]);
      const BilinearTaps taps = zero_border_taps(py, px, geometry_.h, geometry_.w);
      if (taps.count == 0) continue;
      const float* const channel = value + g * params_.group_channels;
      for (std::size_t d = 0; d < sums.size(); ++d) sums[d] += factors[k] * taps.sample(channel + d, geometry_.value_stride);
    }
    for (std::size_t d = 0; d < sums.size(); ++d) y[d] = static_cast<float>(sums[d]);
  }

 private:
  float position(const Dcnv4Axis& axis, std::int64_t output, std::int64_t at, float offset) const {
    const float half = static_cast<float>(axis.half()), s = params_.offset_scale;
    return static_cast<float>(output * axis.stride - axis.pad + axis.half()) - s * half + s * (static_cast<float>(at) + offset);
  }

  const Dcnv4Params& params_;
  const Dcnv4Geometry& geometry_;
  std::vector<Dcnv4Point> window_;
};

Status run(KernelContext& context, const Dcnv4Params& params, const Dcnv4Geometry& geometry, const Tensor& value, const Tensor& offset) {
  FOVEA_ASSIGN(WideOutput y, WideOutput::create(context, 0, context.input(0).type(), params.output_shape(geometry)));
  const Sampler sampler(params, geometry);
  const std::int64_t pixels = geometry.pixels(), points = params.points(), image = geometry.h * geometry.w * geometry.value_stride;
  float* const dst = y.data<float>();
#pragma omp parallel for schedule(static) if (geometry.batch * pixels > 256)
  for (std::int64_t q = 0; q < geometry.batch * pixels; ++q) {
    const std::int64_t n = q / pixels, oy = q % pixels / geometry.ow, ox = q % geometry.ow;
    for (std::int64_t g = 0; g < params.group; ++g) {
      const float* const numbers = offset.data<float>() + q * geometry.offset_stride + geometry.offset_start + g * 3 * points;
      sampler.sample(value.data<float>() + n * image, {numbers, numbers + 2 * points}, oy, ox, g, dst + (q * params.group + g) * params.group_channels);
    }
  }
  return y.finish();
}

Status check_type(const Tensor& tensor) {
  if (tensor.type() == DataType::f32 || tensor.type() == DataType::f16 || tensor.type() == DataType::bf16) return {};
  return unsupported("DCNv4: element type ", name(tensor.type()), " is not supported");
}

}  // namespace

Status dcnv4_reference(KernelContext& context) {
  FOVEA_RETURN_IF_ERROR(check_type(context.input(0)));
  if (context.input(1).type() != context.input(0).type()) {
    return invalid_argument("offset: expected ", name(context.input(0).type()), " like value, found ", name(context.input(1).type()));
  }
  FOVEA_ASSIGN(const Dcnv4Params params, Dcnv4Params::parse(context.attributes()));
  FOVEA_ASSIGN(const Dcnv4Geometry geometry, params.resolve(context.input(0).shape(), context.input(1).shape()));
  FOVEA_ASSIGN(const Tensor value, widened(context.input(0)));
  FOVEA_ASSIGN(const Tensor offset, widened(context.input(1)));
  return run(context, params, geometry, value, offset);
}

Status dcnv4_unsliced_reference(KernelContext& context) {
  FOVEA_RETURN_IF_ERROR(check_type(context.input(0)));
  FOVEA_ASSIGN(const Dcnv4Params params, Dcnv4Params::parse(context.attributes()));
  FOVEA_ASSIGN(const Dcnv4Geometry geometry, params.resolve_unsliced(context.input(0).shape()));
  FOVEA_ASSIGN(const Tensor both, widened(context.input(0)));
  return run(context, params, geometry, both, both);
}

}  // namespace fovea::ops
