// SPDX-License-Identifier: Apache-2.0
// RNN, GRU, LSTM: schemas and their common shape rule.
#include "ops/rnn/rnn_params.h"

#include "ops/schema.h"

namespace fovea::ops {

namespace {

Status infer_rnn(InferContext& context) {
  for (int i = 0; i < context.num_outputs(); ++i) context.set_output_element(i, context.input_element(0));
  FOVEA_ASSIGN(const RnnParams params, RnnParams::parse(rnn_kind(context.op()), context.attributes()));
  const SymbolicShape *x = context.input_shape(0), *r = context.input_shape(2);
  if (x && x->size() != 3) return invalid_model("X: expected rank 3, found ", to_string(*x));
  if (r && r->size() != 3) return invalid_model("R: expected rank 3, found ", to_string(*r));
  if (!x || (!r && params.hidden == 0)) return {};
  const Dim hidden = r ? (*r)[2] : Dim(params.hidden), directions(params.directions());
  const Dim &steps = (*x)[params.batch_first ? 1 : 0], &batch = (*x)[params.batch_first ? 0 : 1];
  context.set_output_shape(0, params.batch_first ? SymbolicShape{batch, steps, directions, hidden} : SymbolicShape{steps, directions, batch, hidden});
  for (int i = 1; i < context.num_outputs(); ++i) {
    context.set_output_shape(i, params.batch_first ? SymbolicShape{batch, directions, hidden} : SymbolicShape{directions, batch, hidden});
  }
  return {};
}

OperatorSchema recurrent(std::string_view name, int inputs, int outputs, std::string_view activations, std::vector<AttributeSpec> more,
                         std::string_view summary) {
  OperatorSchema schema{.name = name, .min_inputs = 3, .max_inputs = inputs, .min_outputs = 0, .max_outputs = outputs, .types = kFloatTypes,
                        .attributes = {{.name = "activation_alpha", .type = AttributeType::Floats, .default_text = "of each activation"},
                                       {.name = "activation_beta", .type = AttributeType::Floats, .default_text = "of each activation"},
                                       {.name = "activations", .type = AttributeType::Strings, .default_text = activations},
                                       {.name = "clip", .type = AttributeType::Float, .default_text = "none"},
                                       {.name = "direction", .type = AttributeType::String, .default_text = "forward",
                                        .allowed = {"forward", "reverse", "bidirectional"}},
                                       {.name = "hidden_size", .type = AttributeType::Int, .default_text = "from R"},
                                       {.name = "layout", .type = AttributeType::Int, .default_text = "0"}},
                        .infer = infer_rnn, .summary = summary};
  schema.attributes.insert(schema.attributes.end(), more.begin(), more.end());
  return schema;
}

}  // namespace

OperatorSchema rnn_schema() { return recurrent("RNN", 6, 2, "Tanh", {}, "recurrent layer without gates"); }

OperatorSchema gru_schema() {
  return recurrent("GRU", 6, 2, "Sigmoid, Tanh", {{.name = "linear_before_reset", .type = AttributeType::Int, .default_text = "0"}},
                   "recurrent layer with update and reset gates");
}

OperatorSchema lstm_schema() {
  return recurrent("LSTM", 8, 3, "Sigmoid, Tanh, Tanh", {{.name = "input_forget", .type = AttributeType::Int, .default_text = "0"}},
                   "recurrent layer with input, output and forget gates");
}

}  // namespace fovea::ops
