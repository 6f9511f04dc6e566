// SPDX-License-Identifier: Apache-2.0
// Parsing and resolving of convolution parameters.
#include "ops/conv/conv_params.h"

#include "base/checked_math.h"

namespace fovea::ops {

namespace {

Result<std::int64_t> parse_group(const Attributes& attributes) {
  const std::int64_t group = attributes.get_int("group", 1);
  if (group < 1 || group > INT32_MAX) return invalid_model("group: expected a number in 1..", INT32_MAX, ", found ", group);
  return group;
}

Status check_ranks(const WindowParams& window, const Shape& x, const Shape& weights) {
  const int rank = window.spatial_rank() + 2;
  if (x.rank() != rank) return invalid_argument("x: expected rank ", rank, ", found ", x.to_string());
  if (weights.rank() != rank) return invalid_argument("weights: expected rank ", rank, " like x, found ", weights.to_string());
  return {};
}

/// One channel of x and the whole output can be counted in 63 bits, also when x has no channels at all.
Status check_size(const ConvGeometry& geometry, const Shape& x) {
  FOVEA_RETURN_IF_ERROR(checked_elements(x.dims().subspan(2)).status());
  return checked_elements(geometry.output_shape().dims()).status();
}

}  // namespace

Shape ConvGeometry::output_shape() const {
  Shape shape{batch, oc};
  for (const WindowAxis& axis : axes) shape.push_back(axis.output);
  return shape;
}

Result<ConvParams> ConvParams::parse(const Attributes& attributes, int rank) {
  ConvParams params;
  FOVEA_ASSIGN(params.window, WindowParams::parse(attributes, rank));
  FOVEA_ASSIGN(params.group, parse_group(attributes));
  return params;
}

Result<ConvGeometry> ConvParams::resolve(const Shape& x, const Shape& weights) const {
  FOVEA_RETURN_IF_ERROR(check_ranks(window, x, weights));
  ConvGeometry geometry{.batch = x[0], .ic = x[1], .oc = weights[0], .group = group, .axes = {}};
  if (geometry.ic % group != 0) return invalid_argument("group: ", group, " does not divide the ", geometry.ic, " input channels");
  if (geometry.oc % group != 0) return invalid_argument("group: ", group, " does not divide the ", geometry.oc, " output channels");
  if (weights[1] != geometry.ic / group) {
    return invalid_argument("weights: expected ", geometry.ic / group, " channels on axis 1 (", geometry.ic, " of x / group ", group,
                            "), found ", weights[1]);
  }
  WindowParams complete = window;
  FOVEA_RETURN_IF_ERROR(complete.set_kernel(weights.dims().subspan(2)));
  FOVEA_ASSIGN(geometry.axes, resolve_axes(complete, x.dims().subspan(2)));
  FOVEA_RETURN_IF_ERROR(check_size(geometry, x));
  return geometry;
}

Result<ConvTransposeParams> ConvTransposeParams::parse(const Attributes& attributes, int rank) {
  ConvTransposeParams params;
  FOVEA_ASSIGN(params.window, WindowParams::parse(attributes, rank));
  FOVEA_ASSIGN(params.group, parse_group(attributes));
  const int spatial = rank - 2;
  FOVEA_ASSIGN(params.transposed.output_padding, parse_ints(attributes, "output_padding", spatial, 0, 0));
  const std::size_t given = attributes.get_ints("output_shape").size();
  if (given != 0) {
    // Some exporters write batch and channels too.
    const bool whole = given == static_cast<std::size_t>(rank);
    FOVEA_ASSIGN(std::vector<std::int64_t> extents, parse_ints(attributes, "output_shape", whole ? rank : spatial, 1, 1));
    params.transposed.output_shape.assign(extents.end() - spatial, extents.end());
  }
  return params;
}

Result<ConvGeometry> ConvTransposeParams::resolve(const Shape& x, const Shape& weights) const {
  FOVEA_RETURN_IF_ERROR(check_ranks(window, x, weights));
  ConvGeometry geometry{.batch = x[0], .ic = x[1], .oc = 1, .group = group, .axes = {}};
  if (weights[0] != x[1]) return invalid_argument("weights: expected ", x[1], " channels on axis 0 like x, found ", weights[0]);
  if (geometry.ic % group != 0) return invalid_argument("group: ", group, " does not divide the ", geometry.ic, " input channels");
  if (!checked_mul(weights[1], group, geometry.oc)) return invalid_argument("group: ", weights[1], " x ", group, " channels overflow 63 bits");
  WindowParams complete = window;
  FOVEA_RETURN_IF_ERROR(complete.set_kernel(weights.dims().subspan(2)));
  for (int i = 0; i < complete.spatial_rank(); ++i) {
    FOVEA_ASSIGN(WindowAxis axis, resolve_transposed_axis(complete, transposed, i, x[i + 2]));
    geometry.axes.push_back(axis);
  }
  FOVEA_RETURN_IF_ERROR(check_size(geometry, x));
  return geometry;
}

Status check_conv_ranks(const ConvGeometry& geometry) {
  if (geometry.axes.size() <= 3) return {};
  return unsupported("convolution over ", geometry.axes.size(), " spatial axes; at most 3 are supported");
}

Status check_channel_vector(std::string_view what, const Tensor& tensor, std::int64_t channels) {
  if (tensor.rank() == 1 && tensor.dim(0) == channels) return {};
  return invalid_argument(what, ": expected ", channels, " numbers, one per channel, found ", tensor.shape().to_string());
}

}  // namespace fovea::ops
