// SPDX-License-Identifier: Apache-2.0
// DeformConv and GridSample: schemas and shape rules.
#include "ops/deform/deform_conv.h"

#include "ops/conv/conv_shapes.h"
#include "ops/deform/grid_sample.h"

namespace fovea::ops {

namespace {

Status check_constant(const char* what, const Dim& found, const Dim& expected) {
  if (!found.is_constant() || !expected.is_constant() || found == expected) return {};
  return invalid_model(what, ": expected ", expected.to_string(), ", found ", found.to_string());
}

/// Offset or mask, with `per_tap` numbers per tap, as far as extents are known: a larger map would be read with the
/// wrong strides elsewhere in the field, so it is an error here.
Status check_map(const std::string& what, const SymbolicShape& map, const DeformConvParams& params, const SymbolicShape& x, std::int64_t per_tap) {
  if (map.size() != 4) return invalid_model(what, ": expected rank 4, found ", to_string(map));
  FOVEA_RETURN_IF_ERROR(check_constant((what + ": batch").c_str(), map[0], x[0]));
  const std::vector<std::int64_t>& kernel = params.conv.window.kernel;
  if (kernel.empty()) return {};
  FOVEA_RETURN_IF_ERROR(check_constant((what + ": channels").c_str(), map[1], Dim(params.offset_group) * Dim(per_tap * kernel[0]) * Dim(kernel[1])));
  for (int axis = 0; axis < 2; ++axis) {
    const auto at = static_cast<std::size_t>(axis) + 2;
    FOVEA_ASSIGN(const Dim extent, output_extent(params.conv.window, axis, x[at]));
    FOVEA_RETURN_IF_ERROR(check_constant((what + (axis == 0 ? ": height" : ": width")).c_str(), map[at], extent));
  }
  return {};
}

Status infer_deform_conv(InferContext& context) {
  const SymbolicShape *x = context.input_shape(0), *weights = context.input_shape(1), *offset = context.input_shape(2), *mask = context.has_input(4) ? context.input_shape(4) : nullptr;
  if (!x) return infer_convolution(context, 0, 1, context.input_element(0));
  FOVEA_ASSIGN(DeformConvParams params, DeformConvParams::parse(context.attributes(), static_cast<int>(x->size())));
  FOVEA_RETURN_IF_ERROR(infer_convolution(context, 0, 1, context.input_element(0)));
  if ((*x)[1].is_constant() && (*x)[1].constant() % params.offset_group != 0) {
    return invalid_model("offset_group: ", params.offset_group, " does not divide the ", (*x)[1].constant(), " input channels");
  }
  if (weights && (*weights)[2].is_constant() && (*weights)[3].is_constant()) {
    const std::int64_t kernel[] = {(*weights)[2].constant(), (*weights)[3].constant()};
    FOVEA_RETURN_IF_ERROR(params.conv.window.set_kernel(kernel));
  }
  if (offset) FOVEA_RETURN_IF_ERROR(check_map("offset", *offset, params, *x, 2));
  if (mask) FOVEA_RETURN_IF_ERROR(check_map("mask", *mask, params, *x, 1));
  return {};
}

Status infer_grid_sample(InferContext& context) {
  context.set_output_element(0, context.input_element(0));
  FOVEA_RETURN_IF_ERROR(GridSampleParams::parse(context.attributes()).status());
  const SymbolicShape *x = context.input_shape(0), *grid = context.input_shape(1);
  if (!x || !grid) return {};
  if (x->size() < 3 || grid->size() != x->size()) {
    return invalid_model("grid: expected rank ", x->size(), " like input 0 (3 or more), found ", to_string(*grid));
  }
  const Dim &per_point = grid->back(), spatial(static_cast<std::int64_t>(x->size()) - 2);
  if (per_point.is_constant() && !(per_point == spatial)) {
    return invalid_model("grid: expected ", spatial.to_string(), " coordinates per point, found ", per_point.to_string());
  }
  SymbolicShape y{(*x)[0], (*x)[1]};
  y.insert(y.end(), grid->begin() + 1, grid->end() - 1);
  context.set_output_shape(0, std::move(y));
  return {};
}

}  // namespace

OperatorSchema deform_conv_schema() {
  return {.name = "DeformConv", .since = 19, .min_inputs = 3, .max_inputs = 5, .types = kFloatTypes,
          .attributes = {{.name = "dilations", .type = AttributeType::Ints, .default_text = "all 1"},
                         {.name = "group", .type = AttributeType::Int, .default_text = "1"},
                         {.name = "kernel_shape", .type = AttributeType::Ints, .default_text = "from the weights"},
                         {.name = "offset_group", .type = AttributeType::Int, .default_text = "1"},
                         {.name = "pads", .type = AttributeType::Ints, .default_text = "all 0"},
                         {.name = "strides", .type = AttributeType::Ints, .default_text = "all 1"}},
          .infer = infer_deform_conv, .summary = "convolution whose taps are moved by learned offsets"};
}

OperatorSchema grid_sample_schema() {
  return {.name = "GridSample", .since = 16, .min_inputs = 2, .max_inputs = 2,
          .attributes = {{.name = "align_corners", .type = AttributeType::Int, .default_text = "0"},
                         {.name = "mode", .type = AttributeType::String, .default_text = "linear", .allowed = {"linear", "nearest", "cubic"}},
                         {.name = "padding_mode", .type = AttributeType::String, .default_text = "zeros", .allowed = {"zeros", "border", "reflection"}}},
          .infer = infer_grid_sample, .summary = "samples at given places: nearest, linear or cubic, any number of axes"};
}

}  // namespace fovea::ops
