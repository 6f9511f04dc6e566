// SPDX-License-Identifier: Apache-2.0
// Dropout: schema and shape rule. Outside training it passes its input through.
#include "ops/schema.h"

namespace fovea::ops {

namespace {

Status infer_dropout(InferContext& context) {
  const DataType type = context.input_element(0);
  if (type != DataType::undefined) context.set_output_element(0, type);
  if (context.num_outputs() > 1) context.set_output_element(1, DataType::boolean);
  if (const SymbolicShape* shape = context.input_shape(0)) {
    for (int i = 0; i < context.num_outputs(); ++i) context.set_output_shape(i, *shape);
  }
  return {};
}

}  // namespace

OperatorSchema dropout_schema() {
  return {.name = "Dropout", .max_inputs = 3, .max_outputs = 2,
          .types = kFloatTypes | types(DataType::f8e4m3fn, DataType::f8e4m3fnuz, DataType::f8e5m2, DataType::f8e5m2fnuz),
          .attributes = {{"seed", AttributeType::Int}}, .infer = infer_dropout, .summary = "identity outside training; the mask is all true"};
}

}  // namespace fovea::ops
