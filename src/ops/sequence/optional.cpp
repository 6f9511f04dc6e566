// SPDX-License-Identifier: Apache-2.0
// Optional, OptionalGetElement and OptionalHasElement: schemas and type rules. At run time an optional is its element
// or nothing at all.
#include "base/onnx_data_type.h"
#include "ops/known_values.h"

namespace fovea::ops {

namespace {

using Kind = ValueType::Kind;

bool is_sequence(Kind kind) { return kind == Kind::Sequence || kind == Kind::OptionalSequence; }

// The attribute `type` is written "tensor(f32)" or "seq(tensor(f32))".
ValueType optional_of_text(std::string_view text) {
  for (const DataType element : kOnnxDataTypes) {
    const std::string tensor = str_cat("tensor(", name(element), ")");
    if (text == tensor) return {Kind::Optional, element};
    if (text == "seq(" + tensor + ")") return {Kind::OptionalSequence, element};
  }
  return {Kind::Optional, DataType::undefined};
}

Status infer_optional(InferContext& context) {
  if (!context.has_input(0)) {
    const ValueType type = optional_of_text(context.attributes().get_string("type"));
    if (type.element != DataType::undefined) context.set_output_type(0, type);
    return {};
  }
  const ValueType input = context.input_type(0);
  if (input.element != DataType::undefined) context.set_output_type(0, {is_sequence(input.kind) ? Kind::OptionalSequence : Kind::Optional, input.element});
  return {};
}

Status infer_get_element(InferContext& context) {
  const ValueType input = context.input_type(0);
  if (input.element != DataType::undefined) context.set_output_type(0, {is_sequence(input.kind) ? Kind::Sequence : Kind::Tensor, input.element});
  if (const SymbolicShape* shape = context.input_shape(0); shape && input.kind == Kind::Tensor) context.set_output_shape(0, *shape);
  return {};
}

Status infer_has_element(InferContext& context) {
  context.set_output(0, DataType::boolean, {});
  if (!context.has_input(0)) {
    context.set_output_value(0, {Dim(0)});
  } else if (const ValueType type = context.input_type(0);
             type.element != DataType::undefined && (type.kind == Kind::Tensor || type.kind == Kind::Sequence)) {
    context.set_output_value(0, {Dim(1)});
  }
  return {};
}

}  // namespace

OperatorSchema optional_schema() {
  return {.name = "Optional", .since = 15, .min_inputs = 0, .max_inputs = 1, .attributes = {{"type", AttributeType::String, false, "the input's"}},
          .infer = infer_optional, .summary = "wraps a value, or nothing, as an optional"};
}

OperatorSchema optional_get_element_schema() {
  return {.name = "OptionalGetElement", .since = 15, .infer = infer_get_element, .traits = kDataDependent, .summary = "the value inside an optional"};
}

OperatorSchema optional_has_element_schema() {
  return {.name = "OptionalHasElement", .since = 15, .min_inputs = 0, .max_inputs = 1, .infer = infer_has_element,
          .summary = "whether an optional holds a value"};
}

}  // namespace fovea::ops
