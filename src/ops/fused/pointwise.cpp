// SPDX-License-Identifier: Apache-2.0
// fovea::pointwise: a whole tree of elementwise work as one node. The attribute `program` holds its text (see
// pointwise_program.h); every output has the broadcast shape of all inputs.
#include "ops/fused/broadcast.h"
#include "ops/fused/pointwise_program.h"
#include "ops/schema.h"

namespace fovea::ops {

namespace {

Status infer_pointwise(InferContext& context) {
  FOVEA_ASSIGN(const PointwiseProgram program, PointwiseProgram::parse(context.attributes().get_string("program")));
  if (static_cast<int>(program.outputs.size()) != context.num_outputs() || program.num_inputs() > context.num_inputs()) {
    return invalid_argument("program has ", program.num_inputs(), " inputs and ", program.outputs.size(), " outputs, the node ",
                            context.num_inputs(), " and ", context.num_outputs());
  }
  for (int i = 0; i < context.num_outputs(); ++i) {
    context.set_output_element(i, program.type_of(program.outputs[static_cast<std::size_t>(i)]));
  }
  std::optional<SymbolicShape> shape = SymbolicShape();
  for (int i = 0; i < context.num_inputs(); ++i) {
    if (context.input_shape(i) == nullptr) return {};
    FOVEA_ASSIGN(shape, broadcast(*shape, *context.input_shape(i)));
    if (!shape) return {};
  }
  for (int i = 0; i < context.num_outputs(); ++i) context.set_output_shape(i, *shape);
  return {};
}

}  // namespace

OperatorSchema fused_pointwise_schema() {
  return {.name = "fovea::pointwise", .min_inputs = 1, .max_inputs = kVariadic, .min_outputs = 1, .max_outputs = kVariadic,
          .attributes = {{.name = "program", .type = AttributeType::String, .required = true}},
          .infer = infer_pointwise, .traits = kElementwise, .summary = "elementwise program over broadcast inputs"};
}

}  // namespace fovea::ops
