// SPDX-License-Identifier: Apache-2.0
// DCNv4's attributes and shapes, checked. Windows are bounded far above what networks use, so that everything that is
// computed from them fits.
#include "base/checked_math.h"
#include "ops/deform/dcnv4.h"

#include <cmath>

namespace fovea::ops {

namespace {

constexpr std::int64_t kMaxKernel = 64, kMaxStep = 1 << 20;
/// Coordinates are f32: beyond 2^24 they would skip elements.
constexpr std::int64_t kMaxExtent = 1 << 24;

Status take_int(const Attributes& attributes, std::string_view name, std::int64_t low, std::int64_t high, std::int64_t& value) {
  value = attributes.get_int(name, value);
  if (value >= low && value <= high) return {};
  return invalid_model(name, ": expected a number in ", low, "..", high, ", found ", value);
}

Status take_flag(const Attributes& attributes, std::string_view name, bool& flag) {
  std::int64_t value = 0;
  FOVEA_RETURN_IF_ERROR(take_int(attributes, name, 0, 1, value));
  flag = value != 0;
  return {};
}

Status take_axis(const Attributes& attributes, char suffix, Dcnv4Axis& axis) {
  const auto named = [&](char kind) { return std::string{kind, suffix}; };
  FOVEA_RETURN_IF_ERROR(take_int(attributes, named('k'), 1, kMaxKernel, axis.kernel));
  FOVEA_RETURN_IF_ERROR(take_int(attributes, named('s'), 1, kMaxStep, axis.stride));
  FOVEA_RETURN_IF_ERROR(take_int(attributes, named('p'), 0, kMaxStep, axis.pad));
  return take_int(attributes, named('d'), 1, kMaxStep, axis.dilation);
}

Result<std::int64_t> output_extent(const char* what, const Dcnv4Axis& axis, std::int64_t input) {
  if (input < 1 || input > kMaxExtent) return invalid_argument(what, ": expected 1..", kMaxExtent, " elements, found ", input);
  const std::int64_t room = input + 2 * axis.pad - axis.span();
  if (room >= 0) return room / axis.stride + 1;
  return invalid_argument(what, ": kernel ", axis.kernel, " with dilation ", axis.dilation, " does not fit into ", input, " elements with pad ", axis.pad);
}

Status check_rank(const char* what, const Shape& shape) {
  if (shape.rank() == 4) return checked_elements(shape.dims()).status();
  return invalid_argument(what, ": expected rank 4 (batch, height, width, channels), found ", shape.to_string());
}

}  // namespace

Result<Dcnv4Params> Dcnv4Params::parse(const Attributes& attributes) {
  Dcnv4Params params;
  FOVEA_RETURN_IF_ERROR(take_axis(attributes, 'h', params.y));
  FOVEA_RETURN_IF_ERROR(take_axis(attributes, 'w', params.x));
  for (const char* name : {"group", "group_channels"}) {
    if (!attributes.has(name)) return invalid_model(name, ": this attribute is required");
  }
  FOVEA_RETURN_IF_ERROR(take_int(attributes, "group", 1, kMaxStep, params.group));
  FOVEA_RETURN_IF_ERROR(take_int(attributes, "group_channels", 1, kMaxStep, params.group_channels));
  params.offset_scale = static_cast<float>(attributes.get_float("offscale", 1));
  if (!std::isfinite(params.offset_scale)) return invalid_model("offscale: expected a finite number, found ", params.offset_scale);
  FOVEA_RETURN_IF_ERROR(take_flag(attributes, "remove_center", params.remove_center));
  FOVEA_RETURN_IF_ERROR(take_flag(attributes, "softmax", params.softmax));
  if (params.points() < 1) return invalid_model("remove_center: a kernel of 1 x 1 has no points beside its centre");
  return params;
}

std::vector<Dcnv4Point> Dcnv4Params::window() const {
  std::vector<Dcnv4Point> points;
  for (std::int64_t i = 0; i < x.kernel; ++i) {
    for (std::int64_t j = 0; j < y.kernel; ++j) {
      if (!remove_center || i != x.kernel / 2 || j != y.kernel / 2) points.push_back({i * x.dilation, j * y.dilation});
    }
  }
  return points;
}

Result<Dcnv4Geometry> Dcnv4Params::resolve(const Shape& value, const Shape& offset) const {
  FOVEA_RETURN_IF_ERROR(check_rank("value", value));
  FOVEA_RETURN_IF_ERROR(check_rank("offset", offset));
  if (value[3] != channels()) {
    return invalid_argument("value: expected ", channels(), " channels (group ", group, " x group_channels ", group_channels, "), found ", value[3]);
  }
  if (offset[3] < offset_channels()) {
    return invalid_argument("offset: expected at least ", offset_channels(), " channels (3 x ", points(), " points x ", group, " groups), found ", offset[3]);
  }
  Dcnv4Geometry geometry{.batch = value[0], .h = value[1], .w = value[2], .value_stride = value[3], .offset_stride = offset[3]};
  FOVEA_ASSIGN(geometry.oh, output_extent("height", y, value[1]));
  FOVEA_ASSIGN(geometry.ow, output_extent("width", x, value[2]));
  if (offset[0] != value[0] || offset[1] != geometry.oh || offset[2] != geometry.ow) {
    return invalid_argument("offset: expected ", Shape{value[0], geometry.oh, geometry.ow, offset[3]}.to_string(), ", found ", offset.to_string());
  }
  FOVEA_RETURN_IF_ERROR(checked_elements(output_shape(geometry).dims()).status());
  return geometry;
}

Result<Dcnv4Geometry> Dcnv4Params::resolve_unsliced(const Shape& both) const {
  FOVEA_RETURN_IF_ERROR(check_rank("input", both));
  if (both[3] < channels() + offset_channels()) {
    return invalid_argument("input: expected at least ", channels() + offset_channels(), " channels (", channels(), " of the value, then 3 x ", points(),
                            " points x ", group, " groups), found ", both[3]);
  }
  Dcnv4Geometry geometry{.batch = both[0], .h = both[1], .w = both[2], .value_stride = both[3], .offset_stride = both[3], .offset_start = channels()};
  FOVEA_ASSIGN(geometry.oh, output_extent("height", y, both[1]));
  FOVEA_ASSIGN(geometry.ow, output_extent("width", x, both[2]));
  if (geometry.oh != geometry.h || geometry.ow != geometry.w) {
    return invalid_argument("offsets beside the value need an output of the input's size ", geometry.h, "x", geometry.w, ", but the attributes give ",
                            geometry.oh, "x", geometry.ow);
  }
  return geometry;
}

}  // namespace fovea::ops
