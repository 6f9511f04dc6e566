// SPDX-License-Identifier: Apache-2.0
// Schemas of the normalisations. All keep the shape of X; statistics are further outputs where ONNX has them.
#include "ops/schema.h"

namespace fovea::ops {

namespace {

constexpr AttributeSpec kEpsilon{"epsilon", AttributeType::Float, false, "1e-5"};
constexpr AttributeSpec kStashType{"stash_type", AttributeType::Int, false, "1"};

Status same_shape(InferContext& context) {
  context.set_output_element(0, context.input_element(0));
  if (const SymbolicShape* shape = context.input_shape(0)) context.set_output_shape(0, *shape);
  return {};
}

Status check_axis(const InferContext& context, const SymbolicShape& shape, std::int64_t fallback) {
  const auto rank = static_cast<std::int64_t>(shape.size());
  const std::int64_t axis = context.attributes().get_int("axis", fallback);
  if (axis < -rank || axis >= rank) return invalid_argument("axis ", axis, " is out of range for rank ", rank);
  return {};
}

Status infer_batch_norm(InferContext& context) {
  FOVEA_RETURN_IF_ERROR(same_shape(context));
  for (int i = 1; i < context.num_outputs(); ++i) {
    context.set_output_element(i, context.input_element(i + 2));
    if (const SymbolicShape* shape = context.input_shape(i + 2)) context.set_output_shape(i, *shape);
  }
  return {};
}

/// Mean and InvStdDev have the reduced axes as 1 and the stash type (f32, or bf16 for stash_type 16).
Status infer_layer_norm(InferContext& context) {
  FOVEA_RETURN_IF_ERROR(same_shape(context));
  const SymbolicShape* shape = context.input_shape(0);
  if (!shape) return {};
  FOVEA_RETURN_IF_ERROR(check_axis(context, *shape, -1));
  const auto rank = static_cast<std::int64_t>(shape->size());
  std::int64_t axis = context.attributes().get_int("axis", -1);
  if (axis < 0) axis += rank;
  SymbolicShape statistics = *shape;
  for (std::int64_t i = axis; i < rank; ++i) statistics[static_cast<std::size_t>(i)] = 1;
  const DataType type = context.attributes().get_int("stash_type", 1) == 16 ? DataType::bf16 : DataType::f32;
  for (int i = 1; i < context.num_outputs(); ++i) context.set_output(i, type, statistics);
  return {};
}

/// RMSNormalization's output has the type of its scale.
Status infer_rms_norm(InferContext& context) {
  context.set_output_element(0, context.input_element(1));
  if (const SymbolicShape* shape = context.input_shape(0)) {
    FOVEA_RETURN_IF_ERROR(check_axis(context, *shape, -1));
    context.set_output_shape(0, *shape);
  }
  return {};
}

Status infer_lp_norm(InferContext& context) {
  if (const SymbolicShape* shape = context.input_shape(0)) FOVEA_RETURN_IF_ERROR(check_axis(context, *shape, -1));
  return same_shape(context);
}

}  // namespace

OperatorSchema batch_normalization_schema() {
  return {.name = "BatchNormalization", .min_inputs = 5, .max_inputs = 5, .max_outputs = 3, .types = kFloatTypes,
          .attributes = {kEpsilon, {"momentum", AttributeType::Float, false, "0.9"}, {"training_mode", AttributeType::Int, false, "0"}},
          .infer = infer_batch_norm, .summary = "(x - mean) / sqrt(var + epsilon) * scale + bias per channel"};
}
OperatorSchema group_normalization_schema() {
  return {.name = "GroupNormalization", .since = 18, .min_inputs = 3, .max_inputs = 3, .types = kFloatTypes,
          .attributes = {kEpsilon, {"num_groups", AttributeType::Int, true}, kStashType},
          .infer = same_shape, .summary = "normalises over groups of channels and all positions"};
}
OperatorSchema instance_normalization_schema() {
  return {.name = "InstanceNormalization", .min_inputs = 3, .max_inputs = 3, .types = kFloatTypes, .attributes = {kEpsilon},
          .infer = same_shape, .summary = "normalises each channel of each sample over its positions"};
}
OperatorSchema layer_normalization_schema() {
  return {.name = "LayerNormalization", .since = 17, .min_inputs = 2, .max_inputs = 3, .max_outputs = 3, .types = kFloatTypes,
          .attributes = {{"axis", AttributeType::Int, false, "-1"}, kEpsilon, kStashType},
          .infer = infer_layer_norm, .summary = "normalises over the axes from `axis` on"};
}
OperatorSchema lrn_schema() {
  return {.name = "LRN", .types = kFloatTypes,
          .attributes = {{"alpha", AttributeType::Float, false, "1e-4"}, {"beta", AttributeType::Float, false, "0.75"},
                         {"bias", AttributeType::Float, false, "1"}, {"size", AttributeType::Int, true}},
          .infer = same_shape, .summary = "local response normalisation over neighbouring channels"};
}
OperatorSchema lp_normalization_schema() {
  return {.name = "LpNormalization", .types = kFloatTypes, .attributes = {{"axis", AttributeType::Int, false, "-1"}, {"p", AttributeType::Int, false, "2"}},
          .infer = infer_lp_norm, .summary = "x divided by its l1 or l2 norm along an axis"};
}
OperatorSchema mean_variance_normalization_schema() {
  return {.name = "MeanVarianceNormalization", .since = 9, .types = kFloatTypes, .attributes = {{"axes", AttributeType::Ints, false, "[0,2,3]"}},
          .infer = same_shape, .summary = "(x - mean) / (deviation + 1e-9) over axes"};
}
OperatorSchema rms_normalization_schema() {
  return {.name = "RMSNormalization", .since = 23, .min_inputs = 2, .max_inputs = 2, .types = kFloatTypes,
          .attributes = {{"axis", AttributeType::Int, false, "-1"}, kEpsilon, kStashType},
          .infer = infer_rms_norm, .summary = "x / sqrt(mean(x^2) + epsilon) * scale over the axes from `axis` on"};
}

}  // namespace fovea::ops
