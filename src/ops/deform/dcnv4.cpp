// SPDX-License-Identifier: Apache-2.0
// DCNv4_Plugin and DCNv4FuseOffset_Plugin: schemas and shape rules.
#include "ops/deform/dcnv4.h"

#include "ops/schema.h"

namespace fovea::ops {

namespace {

Status check_rank(const char* what, const SymbolicShape& shape) {
  if (shape.size() == 4) return {};
  return invalid_model(what, ": expected rank 4 (batch, height, width, channels), found ", to_string(shape));
}

Status check_extent(const char* what, const Dim& found, const Dim& expected) {
  if (!found.is_constant() || !expected.is_constant() || found == expected) return {};
  return invalid_model(what, ": expected ", expected.to_string(), ", found ", found.to_string());
}

Status check_at_least(const char* what, const Dim& found, std::int64_t least) {
  if (!found.is_constant() || found.constant() >= least) return {};
  return invalid_model(what, ": expected at least ", least, ", found ", found.constant());
}

/// What concrete shapes contradict is a fault of the model here, not of a caller.
Status as_model_fault(const Status& status) {
  if (status.ok()) return {};
  return invalid_model(status.message());
}

Dim output_extent(const Dcnv4Axis& axis, const Dim& input) { return floor_div(input + Dim(2 * axis.pad - axis.span()), Dim(axis.stride)) + Dim(1); }

Status infer_dcnv4(InferContext& context) {
  context.set_output_element(0, context.input_element(0));
  FOVEA_ASSIGN(const Dcnv4Params params, Dcnv4Params::parse(context.attributes()));
  const DataType type = context.input_element(0), offset_type = context.input_element(1);
  if (type != DataType::undefined && offset_type != DataType::undefined && type != offset_type) {
    return invalid_model("offset: expected ", name(type), " like value, found ", name(offset_type));
  }
  const SymbolicShape *value = context.input_shape(0), *offset = context.input_shape(1);
  if (offset) {
    FOVEA_RETURN_IF_ERROR(check_rank("offset", *offset));
    FOVEA_RETURN_IF_ERROR(check_at_least("offset: channels", (*offset)[3], params.offset_channels()));
  }
  if (!value) return {};
  FOVEA_RETURN_IF_ERROR(check_rank("value", *value));
  FOVEA_RETURN_IF_ERROR(check_extent("value: channels (group x group_channels)", (*value)[3], Dim(params.channels())));
  const auto concrete_value = to_concrete(*value), concrete_offset = offset ? to_concrete(*offset) : std::nullopt;
  if (concrete_value && concrete_offset) FOVEA_RETURN_IF_ERROR(as_model_fault(params.resolve(*concrete_value, *concrete_offset).status()));
  const Dim oh = output_extent(params.y, (*value)[1]), ow = output_extent(params.x, (*value)[2]);
  FOVEA_RETURN_IF_ERROR(check_at_least("output: height", oh, 1));
  FOVEA_RETURN_IF_ERROR(check_at_least("output: width", ow, 1));
  if (offset) {
    FOVEA_RETURN_IF_ERROR(check_extent("offset: batch", (*offset)[0], (*value)[0]));
    FOVEA_RETURN_IF_ERROR(check_extent("offset: height", (*offset)[1], oh));
    FOVEA_RETURN_IF_ERROR(check_extent("offset: width", (*offset)[2], ow));
  }
  context.set_output_shape(0, {(*value)[0], oh, ow, Dim(params.channels())});
  return {};
}

Status infer_dcnv4_unsliced(InferContext& context) {
  context.set_output_element(0, context.input_element(0));
  FOVEA_ASSIGN(const Dcnv4Params params, Dcnv4Params::parse(context.attributes()));
  for (const Dcnv4Axis* axis : {&params.y, &params.x}) {
    if (axis->stride == 1 && 2 * axis->pad == axis->span() - 1) continue;
    return invalid_model("attributes: expected stride 1 and a pad that keeps the input's size (offsets stand beside the value), found kernel ", axis->kernel,
                         ", stride ", axis->stride, ", pad ", axis->pad, ", dilation ", axis->dilation);
  }
  const SymbolicShape* both = context.input_shape(0);
  if (!both) return {};
  FOVEA_RETURN_IF_ERROR(check_rank("input", *both));
  FOVEA_RETURN_IF_ERROR(check_at_least("input: channels (of value and offset)", (*both)[3], params.channels() + params.offset_channels()));
  if (const auto concrete = to_concrete(*both)) FOVEA_RETURN_IF_ERROR(as_model_fault(params.resolve_unsliced(*concrete).status()));
  context.set_output_shape(0, {(*both)[0], (*both)[1], (*both)[2], Dim(params.channels())});
  return {};
}

std::vector<AttributeSpec> dcnv4_attributes() {
  return {{.name = "kh", .default_text = "3"}, {.name = "kw", .default_text = "3"}, {.name = "sh", .default_text = "1"}, {.name = "sw", .default_text = "1"},
          {.name = "ph", .default_text = "1"}, {.name = "pw", .default_text = "1"}, {.name = "dh", .default_text = "1"}, {.name = "dw", .default_text = "1"},
          {.name = "group", .required = true}, {.name = "group_channels", .required = true},
          {.name = "offscale", .type = AttributeType::Float, .default_text = "1"}, {.name = "step", .default_text = "no effect on the result"},
          {.name = "remove_center", .default_text = "0"}, {.name = "softmax", .default_text = "0"}};
}

constexpr TypeSet kStorage = types(DataType::f32, DataType::f16, DataType::bf16);

}  // namespace

OperatorSchema dcnv4_schema() {
  return {.name = "custom_op::DCNv4_Plugin", .min_inputs = 2, .max_inputs = 2, .types = kStorage, .attributes = dcnv4_attributes(), .infer = infer_dcnv4,
          .summary = "DCNv4: deformable sampling with a learned, unbounded factor per point (channels-last)"};
}

OperatorSchema dcnv4_unsliced_schema() {
  return {.name = "custom_op::DCNv4FuseOffset_Plugin", .types = kStorage, .attributes = dcnv4_attributes(), .infer = infer_dcnv4_unsliced,
          .summary = "DCNv4 that reads value and offsets from one tensor"};
}

}  // namespace fovea::ops
