// SPDX-License-Identifier: Apache-2.0
// Schemas and type rules of the operators on sequences. A sequence has an element type; the shapes of its elements
// are known only when they are taken out.
#include "base/onnx_data_type.h"
#include "ops/known_values.h"

namespace fovea::ops {

namespace {

constexpr ValueType sequence_of(DataType element) { return {ValueType::Kind::Sequence, element}; }

Status infer_same_sequence(InferContext& context) {
  if (context.input_element(0) != DataType::undefined) context.set_output_type(0, sequence_of(context.input_element(0)));
  return {};
}

Status infer_at(InferContext& context) {
  if (context.input_element(0) != DataType::undefined) context.set_output_element(0, context.input_element(0));
  return {};
}

Status infer_construct(InferContext& context) {
  for (int i = 1; i < context.num_inputs(); ++i) {
    const DataType type = context.input_element(i), first = context.input_element(0);
    if (type != first && type != DataType::undefined && first != DataType::undefined) {
      return invalid_argument("input ", i, " has type ", name(type), ", input 0 ", name(first));
    }
  }
  return infer_same_sequence(context);
}

Status infer_empty(InferContext& context) {
  const std::int64_t number = context.attributes().get_int("dtype", 1);
  const DataType type = data_type_from_onnx(number);
  if (type == DataType::undefined) return invalid_argument("dtype ", number, " is not an element type");
  context.set_output_type(0, sequence_of(type));
  return {};
}

Status infer_insert(InferContext& context) {
  const DataType element = context.input_element(0) != DataType::undefined ? context.input_element(0) : context.input_element(1);
  if (element != DataType::undefined) context.set_output_type(0, sequence_of(element));
  return {};
}

Status infer_length(InferContext& context) {
  context.set_output(0, DataType::i64, {});
  return {};
}

}  // namespace

OperatorSchema sequence_at_schema() {
  return {.name = "SequenceAt", .since = 11, .min_inputs = 2, .max_inputs = 2, .infer = infer_at, .traits = kDataDependent,
          .summary = "the tensor at a position of a sequence"};
}

OperatorSchema sequence_construct_schema() {
  return {.name = "SequenceConstruct", .since = 11, .min_inputs = 1, .max_inputs = kVariadic, .infer = infer_construct,
          .summary = "a sequence of tensors"};
}

OperatorSchema sequence_empty_schema() {
  return {.name = "SequenceEmpty", .since = 11, .min_inputs = 0, .max_inputs = 0,
          .attributes = {{"dtype", AttributeType::Int, false, "1 (f32)"}}, .infer = infer_empty, .summary = "a sequence without elements"};
}

OperatorSchema sequence_erase_schema() {
  return {.name = "SequenceErase", .since = 11, .min_inputs = 1, .max_inputs = 2, .infer = infer_same_sequence,
          .summary = "a sequence without the element at a position (default: the last)"};
}

OperatorSchema sequence_insert_schema() {
  return {.name = "SequenceInsert", .since = 11, .min_inputs = 2, .max_inputs = 3, .infer = infer_insert,
          .summary = "a sequence with a tensor put in before a position (default: at the end)"};
}

OperatorSchema sequence_length_schema() {
  return {.name = "SequenceLength", .since = 11, .infer = infer_length, .summary = "number of elements of a sequence"};
}

}  // namespace fovea::ops
