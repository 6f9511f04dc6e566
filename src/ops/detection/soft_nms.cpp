// SPDX-License-Identifier: Apache-2.0
// SoftNonMaxSuppression of mmcv: overlapping boxes lose score instead of being dropped.
#include "ops/schema.h"

namespace fovea::ops {

namespace {

Status infer_soft_nms(InferContext& context) {
  const SymbolicShape *boxes = context.input_shape(0), *scores = context.input_shape(1);
  if (boxes && boxes->size() != 2) return invalid_model("boxes: expected [boxes, 4], found ", to_string(*boxes));
  if (scores && scores->size() != 1) return invalid_model("scores: expected [boxes], found ", to_string(*scores));
  const Dim count = context.fresh_symbol("nms");
  context.set_output(0, DataType::f32, {count, Dim(5)});
  context.set_output(1, DataType::i64, {count});
  return {};
}

}  // namespace

OperatorSchema soft_nms_schema() {
  return {.name = "mmcv::SoftNonMaxSuppression",
          .min_inputs = 2,
          .max_inputs = 2,
          .max_outputs = 2,
          .types = types(DataType::f32),
          .attributes = {{.name = "iou_threshold", .type = AttributeType::Float, .default_text = "0"},
                         {.name = "sigma", .type = AttributeType::Float, .default_text = "0.5"},
                         {.name = "min_score", .type = AttributeType::Float, .default_text = "0"},
                         {.name = "method", .default_text = "0: naive; 1: linear; 2: gaussian"},
                         {.name = "offset", .default_text = "0"}},
          .infer = infer_soft_nms,
          .traits = kDataDependent,
          .summary = "overlapping boxes lose score; boxes with their scores, and indices"};
}

}  // namespace fovea::ops
