// SPDX-License-Identifier: Apache-2.0
// Identity: schema and shape rule. Any value passes through, tensors, sequences and optionals alike.
#include "ops/schema.h"

namespace fovea::ops {

namespace {
Status infer_identity(InferContext& context) {
  context.set_output_type(0, context.input_type(0));
  if (const SymbolicShape* shape = context.input_shape(0)) context.set_output_shape(0, *shape);
  if (const auto* value = context.input_value(0)) context.set_output_value(0, *value);
  return {};
}
}  // namespace

OperatorSchema identity_schema() {
  return {.name = "Identity", .infer = infer_identity, .traits = kElementwise, .summary = "passes its input through"};
}

}  // namespace fovea::ops
