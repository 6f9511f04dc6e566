// SPDX-License-Identifier: Apache-2.0
// MaxUnpool and MaxRoiPool: schemas and shape rules.
#include "ops/pool/max_unpool.h"

#include "ops/schema.h"

namespace fovea::ops {

namespace {

Status infer_max_unpool(InferContext& context) {
  context.set_output_element(0, context.input_element(0));
  if (context.has_input(2)) {
    if (const auto* extents = context.input_value(2)) context.set_output_shape(0, *extents);
    return {};
  }
  const SymbolicShape* x = context.input_shape(0);
  if (!x) return {};
  FOVEA_ASSIGN(const WindowParams window, WindowParams::parse(context.attributes(), static_cast<int>(x->size())));
  SymbolicShape y{(*x)[0], (*x)[1]};
  for (int i = 0; i < window.spatial_rank(); ++i) {
    FOVEA_ASSIGN(const Dim extent, unpooled_extent(window, i, (*x)[static_cast<std::size_t>(i) + 2]));
    y.push_back(extent);
  }
  context.set_output_shape(0, std::move(y));
  return {};
}

Status infer_max_roi_pool(InferContext& context) {
  context.set_output_element(0, context.input_element(0));
  const SymbolicShape *x = context.input_shape(0), *rois = context.input_shape(1);
  FOVEA_ASSIGN(const auto pooled, parse_ints(context.attributes(), "pooled_shape", 2, 1, 1));
  if (x && x->size() != 4) return invalid_model("input 0: expected rank 4, found ", to_string(*x));
  if (rois && rois->size() != 2) return invalid_model("rois: expected rank 2, found ", to_string(*rois));
  if (x && rois) context.set_output_shape(0, {(*rois)[0], (*x)[1], Dim(pooled[0]), Dim(pooled[1])});
  return {};
}

}  // namespace

OperatorSchema max_unpool_schema() {
  return {.name = "MaxUnpool", .since = 9, .min_inputs = 2, .max_inputs = 3, .types = kFloatTypes,
          .attributes = {{.name = "kernel_shape", .type = AttributeType::Ints, .required = true},
                         {.name = "pads", .type = AttributeType::Ints, .default_text = "all 0"},
                         {.name = "strides", .type = AttributeType::Ints, .default_text = "all 1"}},
          .infer = infer_max_unpool, .summary = "puts pooled maxima back to their places, zeros elsewhere"};
}

OperatorSchema max_roi_pool_schema() {
  return {.name = "MaxRoiPool", .min_inputs = 2, .max_inputs = 2, .types = kFloatTypes,
          .attributes = {{.name = "pooled_shape", .type = AttributeType::Ints, .required = true},
                         {.name = "spatial_scale", .type = AttributeType::Float, .default_text = "1"}},
          .infer = infer_max_roi_pool, .summary = "maximum over a grid of cells in each region"};
}

}  // namespace fovea::ops
