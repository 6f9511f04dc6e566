// SPDX-License-Identifier: Apache-2.0
// Compress and NonZero: schemas and shape rules; how much they keep depends on data.
#include "ops/known_values.h"

namespace fovea::ops {

namespace {

Status infer_compress(InferContext& context) {
  context.set_output_type(0, context.input_type(0));
  if (!context.attributes().has("axis")) {
    context.set_output_shape(0, {context.fresh_symbol("compress")});
    return {};
  }
  const SymbolicShape* input = context.input_shape(0);
  if (!input) return {};
  FOVEA_ASSIGN(const int axis, normalize_axis(context.attributes().get_int("axis"), static_cast<int>(input->size())));
  SymbolicShape output = *input;
  output[static_cast<std::size_t>(axis)] = context.fresh_symbol("compress");
  context.set_output_shape(0, std::move(output));
  return {};
}

Status infer_non_zero(InferContext& context) {
  context.set_output_element(0, DataType::i64);
  if (const SymbolicShape* input = context.input_shape(0)) {
    context.set_output_shape(0, {Dim(static_cast<std::int64_t>(input->size())), context.fresh_symbol("nonzero")});
  }
  return {};
}

}  // namespace

OperatorSchema compress_schema() {
  return {.name = "Compress",
          .since = 9,
          .min_inputs = 2,
          .max_inputs = 2,
          .attributes = {{"axis", AttributeType::Int, false, "flattened"}},
          .infer = infer_compress,
          .traits = kDataDependent,
          .summary = "keeps the slices where a condition is true"};
}

OperatorSchema non_zero_schema() {
  return {.name = "NonZero", .since = 9, .infer = infer_non_zero, .traits = kDataDependent, .summary = "indices of the elements that are not 0"};
}

}  // namespace fovea::ops
