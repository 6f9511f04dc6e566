// SPDX-License-Identifier: Apache-2.0
// NonMaxSuppression and RoiAlign: schemas and shape rules.
#include "ops/detection/roi_align.h"
#include "ops/schema.h"

namespace fovea::ops {

namespace {

Status infer_nms(InferContext& context) {
  const SymbolicShape *boxes = context.input_shape(0), *scores = context.input_shape(1);
  if (boxes && boxes->size() != 3) return invalid_model("boxes: expected [batch, boxes, 4], found ", to_string(*boxes));
  if (scores && scores->size() != 3) return invalid_model("scores: expected [batch, classes, boxes], found ", to_string(*scores));
  context.set_output(0, DataType::i64, {context.fresh_symbol("nms"), Dim(3)});
  return {};
}

Status infer_roi_align(InferContext& context) {
  context.set_output_element(0, context.input_element(0));
  FOVEA_ASSIGN(const RoiAlignParams params, RoiAlignParams::parse(context.attributes()));
  const SymbolicShape *x = context.input_shape(0), *rois = context.input_shape(1);
  if (x && x->size() != 4) return invalid_model("input 0: expected rank 4, found ", to_string(*x));
  if (rois && rois->size() != 2) return invalid_model("rois: expected [regions, 4], found ", to_string(*rois));
  if (x && rois) context.set_output_shape(0, {(*rois)[0], (*x)[1], Dim(params.output_height), Dim(params.output_width)});
  return {};
}

}  // namespace

OperatorSchema non_max_suppression_schema() {
  return {.name = "NonMaxSuppression", .since = 10, .min_inputs = 2, .max_inputs = 5, .types = types(DataType::f32),
          .attributes = {{.name = "center_point_box", .type = AttributeType::Int, .default_text = "0"}},
          .infer = infer_nms, .traits = kDataDependent, .summary = "keeps the best of overlapping boxes, class by class"};
}

OperatorSchema roi_align_schema() {
  return {.name = "RoiAlign", .since = 10, .min_inputs = 3, .max_inputs = 3, .types = kFloatTypes,
          .attributes = {{.name = "coordinate_transformation_mode", .type = AttributeType::String, .default_text = "half_pixel",
                          .allowed = {"half_pixel", "output_half_pixel"}},
                         {.name = "mode", .type = AttributeType::String, .default_text = "avg", .allowed = {"avg", "max"}},
                         {.name = "output_height", .type = AttributeType::Int, .default_text = "1"},
                         {.name = "output_width", .type = AttributeType::Int, .default_text = "1"},
                         {.name = "sampling_ratio", .type = AttributeType::Int, .default_text = "0"},
                         {.name = "spatial_scale", .type = AttributeType::Float, .default_text = "1"}},
          .infer = infer_roi_align, .summary = "samples a grid of cells in each region of interest"};
}

}  // namespace fovea::ops
