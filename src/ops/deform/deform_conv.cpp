// SPDX-License-Identifier: Apache-2.0
// DeformConv and GridSample: schemas and shape rules.
#include "ops/deform/deform_conv.h"

#include "ops/conv/conv_shapes.h"
#include "ops/deform/grid_sample.h"

namespace fovea::ops {

namespace {

Status infer_deform_conv(InferContext& context) {
  if (const SymbolicShape* x = context.input_shape(0)) {
    FOVEA_RETURN_IF_ERROR(DeformConvParams::parse(context.attributes(), static_cast<int>(x->size())).status());
  }
  return infer_convolution(context, 0, 1, context.input_element(0));
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
