// SPDX-License-Identifier: Apache-2.0
// MMCVRotatedFeatureAlign: to each element of a map are added the map's values at the centre of the box found there,
// and, with five points, at the box's corners.
#include "ops/schema.h"

namespace fovea::ops {

namespace {

Status infer_rotated_feature_align(InferContext& context) {
  context.set_output_type(0, context.input_type(0));
  const SymbolicShape *x = context.input_shape(0), *boxes = context.input_shape(1);
  if (x && x->size() != 4) return invalid_model("input 0: expected rank 4, found ", to_string(*x));
  if (boxes && boxes->size() != 4)
    return invalid_model("boxes: expected [batch, height, width, 5], found ", to_string(*boxes));
  if (x) context.set_output_shape(0, *x);
  return {};
}

}  // namespace

OperatorSchema rotated_feature_align_schema() {
  return {.name = "mmcv::MMCVRotatedFeatureAlign",
          .min_inputs = 2,
          .max_inputs = 2,
          .types = kFloatTypes,
          .attributes = {{.name = "spatial_scale", .type = AttributeType::Float, .required = true},
                         {.name = "points", .default_text = "1"}},
          .infer = infer_rotated_feature_align,
          .summary = "adds the map's values at the box found at each element"};
}

}  // namespace fovea::ops
