// SPDX-License-Identifier: Apache-2.0
// Resize: attributes and output extents.
#include "ops/resize/resize_params.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/element_types.h"
#include "ops/axis.h"

namespace fovea::ops {

namespace {

template <class E, std::size_t N>
Result<E> parse_choice(const Attributes& attributes, std::string_view name, const std::array<std::pair<std::string_view, E>, N>& choices) {
  const std::string text = attributes.get_string(name, choices[0].first);
  for (const auto& [spelling, value] : choices) {
    if (spelling == text) return value;
  }
  return invalid_model(name, ": '", text, "' is not known; default ", choices[0].first);
}

constexpr std::array<std::pair<std::string_view, ResizeMode>, 3> kModes = {
    {{"nearest", ResizeMode::Nearest}, {"linear", ResizeMode::Linear}, {"cubic", ResizeMode::Cubic}}};
constexpr std::array<std::pair<std::string_view, NearestMode>, 4> kNearestModes = {{{"round_prefer_floor", NearestMode::RoundPreferFloor},
                                                                                   {"round_prefer_ceil", NearestMode::RoundPreferCeil},
                                                                                   {"floor", NearestMode::Floor},
                                                                                   {"ceil", NearestMode::Ceil}}};
constexpr std::array<std::pair<std::string_view, CoordinateMode>, 6> kCoordinateModes = {
    {{"half_pixel", CoordinateMode::HalfPixel},
     {"half_pixel_symmetric", CoordinateMode::HalfPixelSymmetric},
     {"pytorch_half_pixel", CoordinateMode::PytorchHalfPixel},
     {"align_corners", CoordinateMode::AlignCorners},
     {"asymmetric", CoordinateMode::Asymmetric},
     {"tf_crop_and_resize", CoordinateMode::TfCropAndResize}}};
constexpr std::array<std::pair<std::string_view, AspectPolicy>, 3> kPolicies = {
    {{"stretch", AspectPolicy::Stretch}, {"not_larger", AspectPolicy::NotLarger}, {"not_smaller", AspectPolicy::NotSmaller}}};

bool given(const Tensor& tensor) { return tensor.defined() && tensor.elements() > 0; }

Status check_count(std::string_view what, const Tensor& tensor, std::size_t expected) {
  if (tensor.elements() == static_cast<std::int64_t>(expected)) return {};
  return invalid_argument(what, ": expected ", expected, " numbers, found ", tensor.elements());
}

Result<std::vector<double>> float_values(std::string_view what, const Tensor& tensor) {
  std::vector<double> values;
  FOVEA_RETURN_IF_ERROR(dispatch_floats(tensor.type(), what, [&](auto tag) -> Status {
    using T = typename decltype(tag)::type;
    for (const T value : tensor.values<T>()) values.push_back(static_cast<double>(value));
    return {};
  }));
  for (double value : values) {
    if (!std::isfinite(value)) return invalid_argument(what, ": found ", value);
  }
  return values;
}

/// sizes are bounds: one scale for all axes, extents rounded half up.
Status keep_aspect_ratio(const ResizeParams& params, std::vector<ResizeAxis>& axes) {
  const auto by_scale = [&](int a, int b) { return axes[static_cast<std::size_t>(a)].scale < axes[static_cast<std::size_t>(b)].scale; };
  const auto [low, high] = std::minmax_element(params.axes.begin(), params.axes.end(), by_scale);
  if (low == params.axes.end()) return {};
  const double scale = axes[static_cast<std::size_t>(params.policy == AspectPolicy::NotLarger ? *low : *high)].scale;
  for (int a : params.axes) {
    ResizeAxis& axis = axes[static_cast<std::size_t>(a)];
    axis.scale = scale;
    axis.width = static_cast<double>(axis.input) * scale;
    if (!(axis.width < 0x1p62)) return invalid_argument("sizes: extent of axis ", a, " overflows");
    axis.output = static_cast<std::int64_t>(axis.width + 0.5);
  }
  return {};
}

}  // namespace

Result<ResizeParams> ResizeParams::parse(const Attributes& attributes, int rank) {
  ResizeParams params;
  FOVEA_ASSIGN(params.mode, parse_choice(attributes, "mode", kModes));
  FOVEA_ASSIGN(params.nearest, parse_choice(attributes, "nearest_mode", kNearestModes));
  FOVEA_ASSIGN(params.coordinates, parse_choice(attributes, "coordinate_transformation_mode", kCoordinateModes));
  FOVEA_ASSIGN(params.policy, parse_choice(attributes, "keep_aspect_ratio_policy", kPolicies));
  params.antialias = attributes.get_int("antialias", 0) != 0;
  if (params.antialias && params.mode == ResizeMode::Nearest) return invalid_model("antialias: needs mode linear or cubic");
  params.exclude_outside = attributes.get_int("exclude_outside", 0) != 0;
  params.cubic_a = attributes.get_float("cubic_coeff_a", -0.75);
  params.extrapolation_value = attributes.get_float("extrapolation_value", 0);
  if (attributes.has("axes") && !attributes.get_ints("axes").empty()) {
    FOVEA_ASSIGN(params.axes, normalize_axes(attributes.get_ints("axes"), rank));
  } else {
    for (int i = 0; i < rank; ++i) params.axes.push_back(i);
  }
  return params;
}

Result<ResizeAxis> ResizeAxis::from_scale(std::int64_t input, double scale) {
  if (!(scale > 0)) return invalid_argument("scales: expected numbers above 0, found ", scale);
  const double width = static_cast<double>(input) * scale;
  if (!(width < 0x1p62)) return invalid_argument("scales: extent ", input, " times ", scale, " overflows");
  return ResizeAxis{.input = input, .output = static_cast<std::int64_t>(std::floor(width)), .scale = scale, .width = width};
}

Result<ResizeAxis> ResizeAxis::from_size(std::int64_t input, std::int64_t output) {
  if (output < 0) return invalid_argument("sizes: expected extents of 0 or more, found ", output);
  if (input == 0 && output != 0) return invalid_argument("sizes: an empty axis cannot become ", output, " elements");
  const double scale = input == 0 ? 1 : static_cast<double>(output) / static_cast<double>(input);
  return ResizeAxis{.input = input, .output = output, .scale = scale, .width = static_cast<double>(output)};
}

Result<std::vector<ResizeAxis>> resolve_resize(const ResizeParams& params, const Shape& x, const Tensor& roi, const Tensor& scales,
                                               const Tensor& sizes) {
  std::vector<ResizeAxis> axes;
  for (std::int64_t extent : x) axes.push_back({.input = extent, .output = extent, .width = static_cast<double>(extent)});
  const std::size_t count = params.axes.size();
  if (given(scales) == given(sizes)) return invalid_argument("expected either scales or sizes, found ", given(sizes) ? "both" : "neither");
  if (given(sizes)) {
    FOVEA_RETURN_IF_ERROR(check_count("sizes", sizes, count));
    FOVEA_ASSIGN(const auto extents, int_values(sizes, "sizes"));
    for (std::size_t i = 0; i < count; ++i) {
      FOVEA_ASSIGN(axes[static_cast<std::size_t>(params.axes[i])], ResizeAxis::from_size(x[params.axes[i]], extents[i]));
    }
    if (params.policy != AspectPolicy::Stretch) FOVEA_RETURN_IF_ERROR(keep_aspect_ratio(params, axes));
  } else {
    FOVEA_RETURN_IF_ERROR(check_count("scales", scales, count));
    FOVEA_ASSIGN(const auto factors, float_values("scales", scales));
    for (std::size_t i = 0; i < count; ++i) {
      FOVEA_ASSIGN(axes[static_cast<std::size_t>(params.axes[i])], ResizeAxis::from_scale(x[params.axes[i]], factors[i]));
    }
  }
  if (params.coordinates == CoordinateMode::TfCropAndResize) {
    if (!given(roi)) return invalid_argument("roi: required by coordinate_transformation_mode tf_crop_and_resize");
    FOVEA_RETURN_IF_ERROR(check_count("roi", roi, 2 * count));
    FOVEA_ASSIGN(const auto ends, float_values("roi", roi));
    for (std::size_t i = 0; i < count; ++i) {
      ResizeAxis& axis = axes[static_cast<std::size_t>(params.axes[i])];
      axis.roi_start = ends[i];
      axis.roi_end = ends[count + i];
    }
  }
  return axes;
}

}  // namespace fovea::ops
