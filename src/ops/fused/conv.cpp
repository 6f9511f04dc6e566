// SPDX-License-Identifier: Apache-2.0
// fovea::conv: ONNX Conv with bias, residual and activation; what every convolution becomes after the passes.
// Inputs X, W, B (optional), R (optional, shaped as the output). See base/activation.h for the attributes.
#include "ops/conv/conv_params.h"
#include "ops/fused/post_op_attributes.h"

namespace fovea::ops {

namespace {

Status infer_fused_conv(InferContext& context) {
  context.set_output_element(0, context.input_element(0));
  const SymbolicShape* x = context.input_shape(0);
  const SymbolicShape* w = context.input_shape(1);
  if (x == nullptr || w == nullptr) return {};
  FOVEA_ASSIGN(ConvParams params, ConvParams::parse(context.attributes(), static_cast<int>(x->size())));
  const auto weights = to_concrete(*w);
  if (!weights) return {};
  if (weights->rank() != static_cast<int>(x->size())) return invalid_argument("weights ", weights->to_string(), " do not fit an input of rank ", x->size());
  FOVEA_RETURN_IF_ERROR(params.window.set_kernel(weights->dims().subspan(2)));
  SymbolicShape y = {(*x)[0], Dim((*weights)[0])};
  for (std::size_t axis = 2; axis < x->size(); ++axis) {
    FOVEA_ASSIGN(Dim extent, output_extent(params.window, static_cast<int>(axis) - 2, (*x)[axis]));
    y.push_back(std::move(extent));
  }
  context.set_output_shape(0, std::move(y));
  return {};
}

}  // namespace

OperatorSchema fused_conv_schema() {
  OperatorSchema schema{.name = "fovea::conv", .min_inputs = 2, .max_inputs = 4, .types = kFloatTypes,
                        .attributes = {{.name = "auto_pad", .type = AttributeType::String, .default_text = "NOTSET",
                                        .allowed = {"NOTSET", "SAME_UPPER", "SAME_LOWER", "VALID"}},
                                       {.name = "dilations", .type = AttributeType::Ints},
                                       {.name = "group", .type = AttributeType::Int, .default_text = "1"},
                                       {.name = "kernel_shape", .type = AttributeType::Ints},
                                       {.name = "pads", .type = AttributeType::Ints},
                                       {.name = "strides", .type = AttributeType::Ints}},
                        .infer = infer_fused_conv, .summary = "convolution with bias, residual and activation"};
  add_post_op_attributes(schema.attributes);
  return schema;
}

}  // namespace fovea::ops
