// SPDX-License-Identifier: Apache-2.0
// Shape and Size: schemas and shape rules. Their outputs are where shape arithmetic starts.
#include <algorithm>

#include "ops/known_values.h"

namespace fovea::ops {

namespace {

Status infer_shape(InferContext& context) {
  context.set_output_element(0, DataType::i64);
  const SymbolicShape* input = context.input_shape(0);
  if (!input) return {};
  const auto rank = static_cast<std::int64_t>(input->size());
  const auto clamp = [&](std::int64_t at) { return std::clamp<std::int64_t>(at < 0 ? at + rank : at, 0, rank); };
  const std::int64_t start = clamp(context.attributes().get_int("start"));
  const std::int64_t end = std::max(start, clamp(context.attributes().get_int("end", rank)));
  context.set_output_shape(0, {Dim(end - start)});
  context.set_output_value(0, std::vector<Dim>(input->begin() + start, input->begin() + end));
  return {};
}

Status infer_size(InferContext& context) {
  context.set_output(0, DataType::i64, {});
  if (const SymbolicShape* input = context.input_shape(0)) context.set_output_value(0, {product(*input)});
  return {};
}

}  // namespace

OperatorSchema shape_schema() {
  return {.name = "Shape",
          .attributes = {{"start", AttributeType::Int, false, "0"}, {"end", AttributeType::Int, false, "rank"}},
          .infer = infer_shape,
          .summary = "the input's extents as an i64 list"};
}

OperatorSchema size_schema() {
  return {.name = "Size", .infer = infer_size, .summary = "the input's number of elements"};
}

}  // namespace fovea::ops
