// SPDX-License-Identifier: Apache-2.0
// The RoiAlign operators: schemas and one shape rule.
#include "ops/detection/roi_align.h"

#include "ops/schema.h"

namespace fovea::ops {

namespace {

Status infer_roi_align(InferContext& context) {
  FOVEA_ASSIGN(const RoiAlignParams params, RoiAlignParams::parse(context.op(), context.attributes()));
  const int map = params.levels() ? 1 : 0, regions = params.levels() ? 0 : 1;
  const auto levels = static_cast<int>(params.strides.size());
  if (params.levels() && context.num_inputs() != levels + 1) {
    return invalid_model("expected ", levels, " maps, one for each of featmap_strides, found ",
                         context.num_inputs() - 1);
  }
  context.set_output_element(0, context.input_element(map));
  for (int i = map; i < map + std::max(1, levels); ++i) {
    const SymbolicShape* x = context.input_shape(i);
    if (x && x->size() != 4) return invalid_model("input ", i, ": expected rank 4, found ", to_string(*x));
  }
  const SymbolicShape *x = context.input_shape(map), *rois = context.input_shape(regions);
  if (rois && (rois->size() != 2 || ((*rois)[1].is_constant() && (*rois)[1].constant() != params.roi_values))) {
    return invalid_model("rois: expected [regions, ", params.roi_values, "], found ", to_string(*rois));
  }
  if (x && rois)
    context.set_output_shape(0, {(*rois)[0], (*x)[1], Dim(params.output_height), Dim(params.output_width)});
  return {};
}

std::vector<AttributeSpec> mmcv_attributes(std::vector<AttributeSpec> more) {
  std::vector<AttributeSpec> all = {
      {.name = "output_height", .default_text = "7"},
      {.name = "output_width", .default_text = "7"},
      {.name = "sampling_ratio", .default_text = "0: as many samples as a cell has elements"}};
  all.insert(all.end(), more.begin(), more.end());
  return all;
}

}  // namespace

OperatorSchema roi_align_schema() {
  return {
      .name = "RoiAlign",
      .since = 10,
      .min_inputs = 3,
      .max_inputs = 3,
      .types = kFloatTypes,
      .attributes = {{.name = "coordinate_transformation_mode",
                      .type = AttributeType::String,
                      .default_text = "half_pixel",
                      .allowed = {"half_pixel", "output_half_pixel"}},
                     {.name = "mode", .type = AttributeType::String, .default_text = "avg", .allowed = {"avg", "max"}},
                     {.name = "output_height", .type = AttributeType::Int, .default_text = "1"},
                     {.name = "output_width", .type = AttributeType::Int, .default_text = "1"},
                     {.name = "sampling_ratio", .type = AttributeType::Int, .default_text = "0"},
                     {.name = "spatial_scale", .type = AttributeType::Float, .default_text = "1"}},
      .infer = infer_roi_align,
      .summary = "samples a grid of cells in each region of interest"};
}

OperatorSchema mmcv_roi_align_schema() {
  return {.name = "mmcv::MMCVRoiAlign",
          .min_inputs = 2,
          .max_inputs = 2,
          .types = kFloatTypes,
          .attributes = mmcv_attributes(
              {{.name = "spatial_scale", .type = AttributeType::Float, .default_text = "1"},
               {.name = "mode", .type = AttributeType::String, .required = true, .allowed = {"avg", "max"}},
               {.name = "aligned", .default_text = "1"}}),
          .infer = infer_roi_align,
          .summary = "the same, with the image's number in each region; the maximum is that of the samples"};
}

OperatorSchema mmcv_roi_align_rotated_schema() {
  return {.name = "mmcv::MMCVRoIAlignRotated",
          .min_inputs = 2,
          .max_inputs = 2,
          .types = kFloatTypes,
          .attributes = mmcv_attributes({{.name = "spatial_scale", .type = AttributeType::Float, .default_text = "1"},
                                         {.name = "aligned", .default_text = "1"},
                                         {.name = "clockwise", .default_text = "0"}}),
          .infer = infer_roi_align,
          .summary = "the same for rotated regions (image, x, y, width, height, angle)"};
}

OperatorSchema mmcv_multi_level_rotated_roi_align_schema() {
  return {.name = "mmdeploy::MMCVMultiLevelRotatedRoiAlign",
          .min_inputs = 2,
          .max_inputs = 11,
          .types = kFloatTypes,
          .attributes =
              mmcv_attributes({{.name = "featmap_strides", .type = AttributeType::Floats, .required = true},
                               {.name = "clockwise", .default_text = "0"},
                               {.name = "roi_scale_factor", .type = AttributeType::Float, .default_text = "-1: off"},
                               {.name = "finest_scale", .default_text = "56"},
                               {.name = "aligned", .default_text = "0"}}),
          .infer = infer_roi_align,
          .summary = "the same for rotated regions"};
}

OperatorSchema mmcv_multi_level_roi_align_schema() {
  return {.name = "mmdeploy::MMCVMultiLevelRoiAlign",
          .min_inputs = 2,
          .max_inputs = 11,
          .types = kFloatTypes,
          .attributes =
              mmcv_attributes({{.name = "featmap_strides", .type = AttributeType::Floats, .required = true},
                               {.name = "pool_mode", .default_text = "0: max; 1: avg"},
                               {.name = "roi_scale_factor", .type = AttributeType::Float, .default_text = "-1: off"},
                               {.name = "finest_scale", .default_text = "56"},
                               {.name = "aligned", .default_text = "0"}}),
          .infer = infer_roi_align,
          .summary = "the same on the level of a feature pyramid that suits the region's size"};
}

}  // namespace fovea::ops
