// SPDX-License-Identifier: Apache-2.0
// DepthToSpace and SpaceToDepth: schemas and shape rules.
#include "ops/resize/depth_space.h"

#include "ops/schema.h"

namespace fovea::ops {

namespace {

Status check_divides(const Dim& extent, std::int64_t divisor, std::string_view what) {
  if (!extent.is_constant() || extent.constant() % divisor == 0) return {};
  return invalid_model("blocksize: the ", what, " ", extent.constant(), " is not a multiple of ", divisor);
}

Status infer_depth_to_space(InferContext& context) {
  context.set_output_element(0, context.input_element(0));
  const SymbolicShape* x = context.input_shape(0);
  if (!x) return {};
  FOVEA_ASSIGN(const std::int64_t block, parse_blocksize(context.attributes(), static_cast<int>(x->size())));
  FOVEA_RETURN_IF_ERROR(check_divides((*x)[1], block * block, "channel count"));
  context.set_output_shape(0, {(*x)[0], floor_div((*x)[1], Dim(block * block)), (*x)[2] * Dim(block), (*x)[3] * Dim(block)});
  return {};
}

Status infer_space_to_depth(InferContext& context) {
  context.set_output_element(0, context.input_element(0));
  const SymbolicShape* x = context.input_shape(0);
  if (!x) return {};
  FOVEA_ASSIGN(const std::int64_t block, parse_blocksize(context.attributes(), static_cast<int>(x->size())));
  FOVEA_RETURN_IF_ERROR(check_divides((*x)[2], block, "height"));
  FOVEA_RETURN_IF_ERROR(check_divides((*x)[3], block, "width"));
  context.set_output_shape(0, {(*x)[0], (*x)[1] * Dim(block * block), floor_div((*x)[2], Dim(block)), floor_div((*x)[3], Dim(block))});
  return {};
}

}  // namespace

OperatorSchema depth_to_space_schema() {
  return {.name = "DepthToSpace",
          .attributes = {{.name = "blocksize", .type = AttributeType::Int, .required = true},
                         {.name = "mode", .type = AttributeType::String, .default_text = "DCR", .allowed = {"DCR", "CRD"}}},
          .infer = infer_depth_to_space, .summary = "moves channels into blocks of pixels"};
}

OperatorSchema space_to_depth_schema() {
  return {.name = "SpaceToDepth", .attributes = {{.name = "blocksize", .type = AttributeType::Int, .required = true}},
          .infer = infer_space_to_depth, .summary = "moves blocks of pixels into channels"};
}

}  // namespace fovea::ops
