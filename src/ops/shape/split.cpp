// SPDX-License-Identifier: Apache-2.0
// Split: schema and shape rule. Either the sizes are an input, or `num_outputs` gives equal parts, the last one
// smaller when the axis does not divide.
#include "ops/known_values.h"

namespace fovea::ops {

namespace {

Status infer_split(InferContext& context) {
  const int parts = context.num_outputs();
  for (int i = 0; i < parts; ++i) context.set_output_type(i, context.input_type(0));
  const SymbolicShape* input = context.input_shape(0);
  if (!input) return {};
  FOVEA_ASSIGN(const int axis, normalize_axis(context.attributes().get_int("axis"), static_cast<int>(input->size())));
  const Dim extent = (*input)[static_cast<std::size_t>(axis)];
  std::vector<Dim> sizes;
  if (context.has_input(1)) {
    if (const auto known = known_dims(context, 1)) {
      sizes = *known;
      if (static_cast<int>(sizes.size()) != parts) return invalid_argument("split has ", sizes.size(), " sizes for ", parts, " outputs");
      Dim sum(0);
      for (const Dim& size : sizes) {
        if (size.is_constant() && size.constant() < 0) return invalid_argument("split has the negative size ", size.constant());
        sum = sum + size;
      }
      if (sum.is_constant() && extent.is_constant() && !(sum == extent)) {
        return invalid_argument("split sizes sum to ", sum.constant(), " but axis ", axis, " has extent ", extent.constant());
      }
    } else {
      for (int i = 0; i < parts; ++i) sizes.push_back(context.fresh_symbol("split"));
    }
  } else {
    const std::int64_t wanted = context.attributes().get_int("num_outputs", parts);
    if (wanted != parts) return invalid_argument("num_outputs is ", wanted, " but the node has ", parts, " outputs");
    const Dim chunk = ceil_div(extent, Dim(parts));
    // ceil(E / n) for the first ones, what is left for the last; E divisible by n gives E / n everywhere.
    for (int i = 0; i + 1 < parts; ++i) sizes.push_back(chunk);
    sizes.push_back(extent - Dim(parts - 1) * chunk);
    if (extent.is_constant() && sizes.back().constant() < 0) {
      return invalid_argument("axis ", axis, " of extent ", extent.constant(), " does not split into ", parts, " parts");
    }
  }
  const auto* value = context.input_value(0);
  std::int64_t at = 0;
  for (int i = 0; i < parts; ++i) {
    const Dim& size = sizes[static_cast<std::size_t>(i)];
    SymbolicShape output = *input;
    output[static_cast<std::size_t>(axis)] = size;
    context.set_output_shape(i, std::move(output));
    if (value && size.is_constant() && at >= 0 && at + size.constant() <= static_cast<std::int64_t>(value->size())) {
      context.set_output_value(i, std::vector<Dim>(value->begin() + at, value->begin() + at + size.constant()));
      at += size.constant();
    } else {
      at = -1;
    }
  }
  return {};
}

}  // namespace

OperatorSchema split_schema() {
  return {.name = "Split",
          .min_inputs = 1,
          .max_inputs = 2,
          .min_outputs = 1,
          .max_outputs = kVariadic,
          .attributes = {{"axis", AttributeType::Int, false, "0"}, {"num_outputs", AttributeType::Int, false, "number of outputs"}},
          .infer = infer_split,
          .summary = "cuts a tensor into parts along an axis"};
}

}  // namespace fovea::ops
