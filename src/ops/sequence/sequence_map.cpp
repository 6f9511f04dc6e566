// SPDX-License-Identifier: Apache-2.0
// SequenceMap: schema and type rule. The body takes one element of each sequence input, and tensor inputs whole.
#include "ops/control/body_facts.h"

namespace fovea::ops {

namespace {

Status infer_sequence_map(InferContext& context) {
  if (context.num_bodies() != 1) return invalid_model("expected 1 body, found ", context.num_bodies());
  std::vector<BodyValue> inputs;
  const int declared = declared_inputs(context);
  for (int i = 0; i < declared; ++i) {
    const ValueType type = context.input_type(i);
    if (type.kind == ValueType::Kind::Sequence) inputs.push_back({{ValueType::Kind::Tensor, type.element}});
    else inputs.push_back(known_of_input(context, i));
  }
  append_captures(context, inputs);
  FOVEA_ASSIGN(const auto outputs, context.infer_body(0, inputs));
  for (int i = 0; i < context.num_outputs() && static_cast<std::size_t>(i) < outputs.size(); ++i) {
    set_type_if_known(context, i, {ValueType::Kind::Sequence, outputs[static_cast<std::size_t>(i)].type.element});
  }
  return {};
}

}  // namespace

OperatorSchema sequence_map_schema() {
  return {.name = "SequenceMap", .since = 17, .min_inputs = 1, .max_inputs = kVariadic, .min_outputs = 1, .max_outputs = kVariadic,
          .attributes = {{"body", AttributeType::Graph, true}, {"captures", AttributeType::Int, false, "0"}},
          .infer = infer_sequence_map, .traits = kHasBodies, .summary = "runs a body on each element of sequences"};
}

}  // namespace fovea::ops
