// SPDX-License-Identifier: Apache-2.0
// Schemas of QuantizeLinear, DequantizeLinear and DynamicQuantizeLinear.
#include "base/onnx_data_type.h"
#include "ops/schema.h"

namespace fovea::ops {

namespace {

Status same_shape(InferContext& context) {
  if (const SymbolicShape* shape = context.input_shape(0)) context.set_output_shape(0, *shape);
  return {};
}

Status infer_quantize(InferContext& context) {
  const std::int64_t wanted = context.attributes().get_int("output_dtype", 0);
  DataType type = DataType::u8;
  if (wanted != 0) {
    type = data_type_from_onnx(wanted);
    if (type == DataType::undefined) return invalid_argument("attribute 'output_dtype': unknown type ", wanted);
  }
  if (context.has_input(2)) {
    if (wanted != 0 && context.input_element(2) != DataType::undefined && context.input_element(2) != type) {
      return invalid_argument("attribute 'output_dtype' is ", name(type), ", the zero point is ", name(context.input_element(2)));
    }
    type = context.input_element(2);
  }
  context.set_output_element(0, type);
  return same_shape(context);
}

Status infer_dequantize(InferContext& context) {
  const std::int64_t wanted = context.attributes().get_int("output_dtype", 0);
  context.set_output_element(0, wanted != 0 ? data_type_from_onnx(wanted) : context.input_element(1));
  return same_shape(context);
}

Status infer_dynamic(InferContext& context) {
  context.set_output_element(0, DataType::u8);
  context.set_output(1, DataType::f32, {});
  context.set_output(2, DataType::u8, {});
  return same_shape(context);
}

}  // namespace

OperatorSchema dequantize_linear_schema() {
  return {.name = "DequantizeLinear", .since = 10, .min_inputs = 2, .max_inputs = 3,
          .attributes = {{"axis", AttributeType::Int, false, "1"}, {"block_size", AttributeType::Int, false, "0"}, {"output_dtype", AttributeType::Int, false, "0"}},
          .infer = infer_dequantize, .summary = "(x - zero_point) * scale; per tensor, axis or block"};
}
OperatorSchema dynamic_quantize_linear_schema() {
  return {.name = "DynamicQuantizeLinear", .since = 11, .min_outputs = 3, .max_outputs = 3, .types = types(DataType::f32), .infer = infer_dynamic,
          .summary = "u8 with scale and zero point from the data's range"};
}
OperatorSchema quantize_linear_schema() {
  return {.name = "QuantizeLinear", .since = 10, .min_inputs = 2, .max_inputs = 3, .types = kFloatTypes | types(DataType::i32),
          .attributes = {{"axis", AttributeType::Int, false, "1"}, {"block_size", AttributeType::Int, false, "0"}, {"output_dtype", AttributeType::Int, false, "0"},
                         {"precision", AttributeType::Int, false, "0"}, {"saturate", AttributeType::Int, false, "1"}},
          .infer = infer_quantize, .summary = "saturate(round(x / scale) + zero_point); per tensor, axis or block"};
}

}  // namespace fovea::ops
