// SPDX-License-Identifier: Apache-2.0
// Col2Im: schema and shape rule. x [n, c * block, blocks], image_shape, block_shape -> [n, c, image...].
#include "ops/schema.h"

namespace fovea::ops {

namespace {

Status infer_col2im(InferContext& context) {
  context.set_output_element(0, context.input_element(0));
  const SymbolicShape* x = context.input_shape(0);
  const std::vector<Dim>*image = context.input_value(1), *block = context.input_value(2);
  if (x && x->size() != 3) return invalid_model("input: expected rank 3, found ", to_string(*x));
  if (!x || !image || !block) return {};
  Dim taps(1);
  for (const Dim& extent : *block) {
    if (extent.is_constant() && extent.constant() < 1) return invalid_model("block_shape: extent ", extent.constant(), " is not positive");
    taps = taps * extent;
  }
  SymbolicShape y{(*x)[0], floor_div((*x)[1], taps)};
  y.insert(y.end(), image->begin(), image->end());
  context.set_output_shape(0, std::move(y));
  return {};
}

}  // namespace

OperatorSchema col2im_schema() {
  return {.name = "Col2Im", .since = 18, .min_inputs = 3, .max_inputs = 3, .types = kNumericTypes,
          .attributes = {{.name = "dilations", .type = AttributeType::Ints, .default_text = "all 1"},
                         {.name = "pads", .type = AttributeType::Ints, .default_text = "all 0"},
                         {.name = "strides", .type = AttributeType::Ints, .default_text = "all 1"}},
          .infer = infer_col2im, .summary = "adds the blocks of a sliding window back into an image"};
}

}  // namespace fovea::ops
