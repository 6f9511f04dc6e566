// SPDX-License-Identifier: Apache-2.0
// Schemas of Cast, CastLike and BitCast.
#include "base/element_types.h"
#include "base/onnx_data_type.h"
#include "ops/elementwise/elementwise_rules.h"

namespace fovea::ops {

namespace {

constexpr TypeSet kCastTypes = kAllTypes & ~types(DataType::c64, DataType::c128, DataType::undefined);

std::vector<AttributeSpec> cast_attributes() {
  return {{"round_mode", AttributeType::String, false, "up", {"up", "down", "nearest"}}, {"saturate", AttributeType::Int, false, "1"}};
}

Result<DataType> target_type(InferContext& context) {
  const std::int64_t number = context.attributes().get_int("to");
  const DataType type = data_type_from_onnx(number);
  if (type == DataType::undefined) return invalid_model(context.op(), ": attribute 'to' is ", number, ", which names no element type");
  return type;
}

Status infer_to(InferContext& context, DataType type) {
  FOVEA_RETURN_IF_ERROR(infer_same_shape(context, type));
  const std::vector<Dim>* value = context.input_value(0);
  if (!value) return cast_fractions(context, type);
  if (type == DataType::string) return {};
  std::vector<Dim> result;
  for (const Dim& x : *value) {
    // Extents fit every type that shape arithmetic uses; narrower ones could wrap or round.
    const bool exact = type == DataType::i64 || type == DataType::f64 ||
                       ((type == DataType::i32 || type == DataType::f32) && (!x.is_constant() || (x.constant() <= 1 << 24 && x.constant() >= -(1 << 24))));
    if (type == DataType::boolean && x.is_constant()) {
      result.emplace_back(x.constant() != 0 ? 1 : 0);
    } else if (exact) {
      result.push_back(x);
    } else {
      return {};
    }
  }
  context.set_output_value(0, std::move(result));
  return {};
}

Status infer_cast(InferContext& context) {
  FOVEA_ASSIGN(const DataType type, target_type(context));
  return infer_to(context, type);
}

Status infer_cast_like(InferContext& context) {
  const DataType type = context.input_element(1);
  if (type != DataType::undefined) return infer_to(context, type);
  if (const SymbolicShape* shape = context.input_shape(0)) context.set_output_shape(0, *shape);
  return {};
}

Status infer_bit_cast(InferContext& context) {
  FOVEA_ASSIGN(const DataType type, target_type(context));
  const DataType from = context.input_element(0);
  if (from != DataType::undefined && (bits_of(from) != bits_of(type) || bits_of(type) == 0)) {
    return invalid_model("BitCast: ", name(from), " and ", name(type), " have different widths");
  }
  return infer_same_shape(context, type);
}

}  // namespace

OperatorSchema cast_schema() {
  OperatorSchema schema{.name = "Cast", .types = kCastTypes, .attributes = cast_attributes(), .infer = infer_cast, .traits = kElementwise,
                        .summary = "converts elements to another type"};
  schema.attributes.push_back({"to", AttributeType::Int, true});
  return schema;
}
OperatorSchema cast_like_schema() {
  return {.name = "CastLike", .since = 15, .min_inputs = 2, .max_inputs = 2, .types = kCastTypes, .attributes = cast_attributes(),
          .infer = infer_cast_like, .traits = kElementwise, .summary = "converts elements to the second input's type"};
}
OperatorSchema bit_cast_schema() {
  return {.name = "BitCast", .since = 26, .types = kAllTypes & ~types(DataType::string), .attributes = {{"to", AttributeType::Int, true}},
          .infer = infer_bit_cast, .traits = kElementwise, .summary = "reads the same bits as another type of equal width"};
}

}  // namespace fovea::ops
