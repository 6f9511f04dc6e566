// SPDX-License-Identifier: Apache-2.0
// Conv, ConvInteger, QLinearConv, ConvTranspose: schemas and shape rules.
#include "ops/conv/conv_params.h"
#include "ops/conv/conv_shapes.h"

namespace fovea::ops {

namespace {

/// Constant extents after the first two, or none if one of them is not known.
std::optional<std::vector<std::int64_t>> constant_spatial(const SymbolicShape& shape) {
  std::vector<std::int64_t> extents;
  for (std::size_t i = 2; i < shape.size(); ++i) {
    if (!shape[i].is_constant()) return std::nullopt;
    extents.push_back(shape[i].constant());
  }
  return extents;
}

Status check_rank(const SymbolicShape& x, const SymbolicShape& weights) {
  if (x.size() == weights.size()) return {};
  return invalid_model("weights: expected rank ", x.size(), " like x, found ", to_string(weights));
}

template <class Params>
Status infer_from(InferContext& context, int x_index, int w_index, DataType type, bool transposed) {
  context.set_output_element(0, type);
  const SymbolicShape *x = context.input_shape(x_index), *w = context.input_shape(w_index);
  if (!x) return {};
  FOVEA_ASSIGN(Params params, Params::parse(context.attributes(), static_cast<int>(x->size())));
  if (!w) return {};
  FOVEA_RETURN_IF_ERROR(check_rank(*x, *w));
  const std::optional<Shape> x_shape = to_concrete(*x), w_shape = to_concrete(*w);
  if (x_shape && w_shape) {
    FOVEA_ASSIGN(const ConvGeometry geometry, params.resolve(*x_shape, *w_shape));
    context.set_output_shape(0, to_symbolic(geometry.output_shape()));
    return {};
  }
  const Dim ic = transposed ? (*w)[0] : (*w)[1] * Dim(params.group);
  if ((*x)[1].is_constant() && ic.is_constant() && (*x)[1].constant() != ic.constant()) {
    return invalid_model("weights: made for ", ic.to_string(), " input channels in ", params.group, " groups, but x has ", (*x)[1].to_string());
  }
  if (const auto kernel = constant_spatial(*w)) FOVEA_RETURN_IF_ERROR(params.window.set_kernel(*kernel));
  if (params.window.kernel.empty()) return {};
  SymbolicShape y{(*x)[0], transposed ? (*w)[1] * Dim(params.group) : (*w)[0]};
  for (int i = 0; i < params.window.spatial_rank(); ++i) {
    const Dim& input = (*x)[static_cast<std::size_t>(i) + 2];
    if constexpr (std::is_same_v<Params, ConvTransposeParams>) {
      FOVEA_ASSIGN(const Dim extent, transposed_output_extent(params.window, params.transposed, i, input));
      y.push_back(extent);
    } else {
      FOVEA_ASSIGN(const Dim extent, output_extent(params.window, i, input));
      y.push_back(extent);
    }
  }
  context.set_output_shape(0, std::move(y));
  return {};
}

Status infer_conv(InferContext& context) { return infer_convolution(context, 0, 1, context.input_element(0)); }
Status infer_conv_integer(InferContext& context) { return infer_convolution(context, 0, 1, DataType::i32); }
Status infer_qlinear_conv(InferContext& context) { return infer_convolution(context, 0, 3, context.input_element(7)); }
Status infer_conv_transpose(InferContext& context) {
  return infer_from<ConvTransposeParams>(context, 0, 1, context.input_element(0), true);
}

std::vector<AttributeSpec> conv_attributes() {
  return {
      {.name = "auto_pad", .type = AttributeType::String, .default_text = "NOTSET", .allowed = {"NOTSET", "VALID", "SAME_UPPER", "SAME_LOWER"}},
      {.name = "dilations", .type = AttributeType::Ints, .default_text = "all 1"},
      {.name = "group", .type = AttributeType::Int, .default_text = "1"},
      {.name = "kernel_shape", .type = AttributeType::Ints, .default_text = "from the weights"},
      {.name = "pads", .type = AttributeType::Ints, .default_text = "all 0"},
      {.name = "strides", .type = AttributeType::Ints, .default_text = "all 1"},
  };
}

constexpr TypeSet kBytes = types(DataType::i8, DataType::u8);

}  // namespace

Status infer_convolution(InferContext& context, int x, int weights, DataType type) {
  return infer_from<ConvParams>(context, x, weights, type, false);
}

OperatorSchema conv_schema() {
  return {.name = "Conv", .min_inputs = 2, .max_inputs = 3, .types = kFloatTypes, .attributes = conv_attributes(), .infer = infer_conv,
          .summary = "convolution over 1 to 3 spatial axes, with groups"};
}

OperatorSchema conv_integer_schema() {
  return {.name = "ConvInteger", .since = 10, .min_inputs = 2, .max_inputs = 4, .types = kBytes, .attributes = conv_attributes(),
          .infer = infer_conv_integer, .summary = "8-bit convolution with 32-bit sums"};
}

OperatorSchema qlinear_conv_schema() {
  return {.name = "QLinearConv", .since = 10, .min_inputs = 8, .max_inputs = 9, .types = kBytes, .attributes = conv_attributes(),
          .infer = infer_qlinear_conv, .summary = "8-bit convolution, rescaled to 8 bits"};
}

OperatorSchema conv_transpose_schema() {
  std::vector<AttributeSpec> attributes = conv_attributes();
  attributes.push_back({.name = "output_padding", .type = AttributeType::Ints, .default_text = "all 0"});
  attributes.push_back({.name = "output_shape", .type = AttributeType::Ints, .default_text = "from the pads"});
  return {.name = "ConvTranspose", .min_inputs = 2, .max_inputs = 3, .types = kFloatTypes, .attributes = std::move(attributes),
          .infer = infer_conv_transpose, .summary = "transposed convolution over 1 to 3 spatial axes, with groups"};
}

}  // namespace fovea::ops
