// SPDX-License-Identifier: Apache-2.0
// SplitToSequence and ConcatFromSequence: schemas and type rules.
#include "ops/known_values.h"

namespace fovea::ops {

namespace {

Status infer_split(InferContext& context) {
  if (context.input_element(0) != DataType::undefined) context.set_output_type(0, {ValueType::Kind::Sequence, context.input_element(0)});
  if (const SymbolicShape* input = context.input_shape(0)) {
    return normalize_axis(context.attributes().get_int("axis"), static_cast<int>(input->size())).status();
  }
  return {};
}

Status infer_concat(InferContext& context) {
  if (context.input_element(0) != DataType::undefined) context.set_output_element(0, context.input_element(0));
  return {};
}

}  // namespace

OperatorSchema split_to_sequence_schema() {
  return {.name = "SplitToSequence", .since = 11, .min_inputs = 1, .max_inputs = 2,
          .attributes = {{"axis", AttributeType::Int, false, "0"}, {"keepdims", AttributeType::Int, false, "1"}},
          .infer = infer_split, .summary = "cuts a tensor into a sequence of parts"};
}

OperatorSchema concat_from_sequence_schema() {
  return {.name = "ConcatFromSequence", .since = 11,
          .attributes = {{"axis", AttributeType::Int, true}, {"new_axis", AttributeType::Int, false, "0"}},
          .infer = infer_concat, .traits = kDataDependent, .summary = "joins the tensors of a sequence, along an axis or a new one"};
}

}  // namespace fovea::ops
