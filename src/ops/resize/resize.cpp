// SPDX-License-Identifier: Apache-2.0
// Resize: schema and shape rule. Inputs x, roi, scales, sizes; an empty tensor counts as missing.
#include "ops/known_values.h"
#include "ops/resize/resize_params.h"

namespace fovea::ops {

namespace {

bool may_be_given(const InferContext& context, int i) { return context.has_input(i) && known_length(context, i) != 0; }

Tensor constant_or_none(const InferContext& context, int i) {
  const Tensor* constant = context.has_input(i) ? context.input_constant(i) : nullptr;
  return constant ? *constant : Tensor();
}

/// Extents of the resized axes for sizes that may be expressions.
Status infer_from_sizes(const ResizeParams& params, const std::vector<Dim>& sizes, SymbolicShape& y) {
  if (sizes.size() != params.axes.size()) return invalid_model("sizes: expected ", params.axes.size(), " numbers, found ", sizes.size());
  for (std::size_t i = 0; i < sizes.size(); ++i) y[static_cast<std::size_t>(params.axes[i])] = sizes[i];
  return {};
}

Status infer_resize(InferContext& context) {
  context.set_output_element(0, context.input_element(0));
  const SymbolicShape* x = context.input_shape(0);
  if (!x) return {};
  FOVEA_ASSIGN(const ResizeParams params, ResizeParams::parse(context.attributes(), static_cast<int>(x->size())));
  SymbolicShape y = *x;
  const bool from_sizes = may_be_given(context, 3), from_scales = may_be_given(context, 2);
  const Tensor scales = constant_or_none(context, 2);
  const auto sizes = known_dims(context, 3);
  if (from_sizes && sizes && !from_scales && params.policy == AspectPolicy::Stretch) {
    FOVEA_RETURN_IF_ERROR(infer_from_sizes(params, *sizes, y));
  } else if (!from_sizes && scales.defined() && scales.type() == DataType::f32) {
    if (scales.elements() != static_cast<std::int64_t>(params.axes.size())) {
      return invalid_model("scales: expected ", params.axes.size(), " numbers, found ", scales.elements());
    }
    for (std::size_t i = 0; i < params.axes.size(); ++i) {
      const double scale = static_cast<double>(scales.data<float>()[i]);
      if (!(scale > 0) || scale > 0x1p31) return invalid_model("scales: expected numbers above 0, found ", scale);
      Dim& extent = y[static_cast<std::size_t>(params.axes[i])];
      extent = floor_scale(extent, scale);
    }
  } else if (const auto concrete = to_concrete(*x); concrete && from_sizes && constant_or_none(context, 3).defined()) {
    ResizeParams stretched = params;  // the roi has no say in the extents
    stretched.coordinates = CoordinateMode::HalfPixel;
    FOVEA_ASSIGN(const auto axes, resolve_resize(stretched, *concrete, {}, scales, constant_or_none(context, 3)));
    for (std::size_t i = 0; i < axes.size(); ++i) y[i] = Dim(axes[i].output);
  } else {
    for (int a : params.axes) y[static_cast<std::size_t>(a)] = context.fresh_symbol("resized");
  }
  context.set_output_shape(0, std::move(y));
  return {};
}

}  // namespace

OperatorSchema resize_schema() {
  return {.name = "Resize", .since = 10, .max_inputs = 4,
          .attributes = {{.name = "antialias", .type = AttributeType::Int, .default_text = "0"},
                         {.name = "axes", .type = AttributeType::Ints, .default_text = "all"},
                         {.name = "coordinate_transformation_mode", .type = AttributeType::String, .default_text = "half_pixel",
                          .allowed = {"half_pixel", "half_pixel_symmetric", "pytorch_half_pixel", "align_corners", "asymmetric", "tf_crop_and_resize"}},
                         {.name = "cubic_coeff_a", .type = AttributeType::Float, .default_text = "-0.75"},
                         {.name = "exclude_outside", .type = AttributeType::Int, .default_text = "0"},
                         {.name = "extrapolation_value", .type = AttributeType::Float, .default_text = "0"},
                         {.name = "keep_aspect_ratio_policy", .type = AttributeType::String, .default_text = "stretch",
                          .allowed = {"stretch", "not_larger", "not_smaller"}},
                         {.name = "mode", .type = AttributeType::String, .default_text = "nearest", .allowed = {"nearest", "linear", "cubic"}},
                         {.name = "nearest_mode", .type = AttributeType::String, .default_text = "round_prefer_floor",
                          .allowed = {"round_prefer_floor", "round_prefer_ceil", "floor", "ceil"}}},
          .infer = infer_resize, .summary = "resamples along any axes: nearest, linear or cubic"};
}

}  // namespace fovea::ops
