// SPDX-License-Identifier: Apache-2.0
// Trilu and ReverseSequence: schemas; the output has the input's type and shape.
#include "ops/known_values.h"

namespace fovea::ops {

namespace {

Status infer_like_input(InferContext& context, int min_rank) {
  context.set_output_type(0, context.input_type(0));
  const SymbolicShape* input = context.input_shape(0);
  if (!input) return {};
  if (static_cast<int>(input->size()) < min_rank) return invalid_argument("expected rank ", min_rank, " or more, found ", input->size());
  context.set_output_shape(0, *input);
  return {};
}

}  // namespace

OperatorSchema trilu_schema() {
  return {.name = "Trilu",
          .since = 14,
          .min_inputs = 1,
          .max_inputs = 2,
          .attributes = {{"upper", AttributeType::Int, false, "1"}},
          .infer = [](InferContext& context) { return infer_like_input(context, 2); },
          .summary = "keeps the upper or lower triangle of each matrix"};
}

OperatorSchema reverse_sequence_schema() {
  return {.name = "ReverseSequence",
          .since = 10,
          .min_inputs = 2,
          .max_inputs = 2,
          .attributes = {{"batch_axis", AttributeType::Int, false, "1"}, {"time_axis", AttributeType::Int, false, "0"}},
          .infer = [](InferContext& context) { return infer_like_input(context, 2); },
          .summary = "reverses the first elements of each sequence of a batch"};
}

}  // namespace fovea::ops
