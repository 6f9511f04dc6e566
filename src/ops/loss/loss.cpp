// SPDX-License-Identifier: Apache-2.0
// Schemas of NegativeLogLikelihoodLoss and SoftmaxCrossEntropyLoss: scores [n, c, d...], labels [n, d...].
#include "ops/schema.h"

namespace fovea::ops {

namespace {

Status infer_loss(InferContext& context) {
  context.set_output_element(0, context.input_element(0));
  if (context.num_outputs() > 1) {
    context.set_output_element(1, context.input_element(0));
    if (const SymbolicShape* scores = context.input_shape(0)) context.set_output_shape(1, *scores);
  }
  if (context.attributes().get_string("reduction", "mean") != "none") {
    context.set_output_shape(0, {});
  } else if (const SymbolicShape* labels = context.input_shape(1)) {
    context.set_output_shape(0, *labels);
  }
  return {};
}

OperatorSchema schema(std::string_view name, int since, int outputs, std::string_view summary) {
  return {.name = name, .since = since, .min_inputs = 2, .max_inputs = 3, .max_outputs = outputs, .types = kFloatTypes,
          .attributes = {{"ignore_index", AttributeType::Int, false, "none"},
                         {.name = "reduction", .type = AttributeType::String, .default_text = "mean", .allowed = {"none", "sum", "mean"}}},
          .infer = infer_loss, .summary = summary};
}

}  // namespace

OperatorSchema negative_log_likelihood_loss_schema() {
  return schema("NegativeLogLikelihoodLoss", 12, 1, "-weight[label] * log_prob[label], none, summed or averaged");
}
OperatorSchema softmax_cross_entropy_loss_schema() {
  return schema("SoftmaxCrossEntropyLoss", 12, 2, "negative log likelihood of the softmax of scores");
}

}  // namespace fovea::ops
