// SPDX-License-Identifier: Apache-2.0
// ScatterElements and ScatterND: schemas and shape rules.
#include "ops/known_values.h"

namespace fovea::ops {

namespace {

Status infer_like_data(InferContext& context) {
  context.set_output_type(0, context.input_type(0));
  if (const SymbolicShape* data = context.input_shape(0)) context.set_output_shape(0, *data);
  return {};
}

Status infer_scatter_elements(InferContext& context) {
  const SymbolicShape *data = context.input_shape(0), *indices = context.input_shape(1);
  if (data) FOVEA_RETURN_IF_ERROR(normalize_axis(context.attributes().get_int("axis"), static_cast<int>(data->size())).status());
  if (data && indices && data->size() != indices->size()) {
    return invalid_argument("data has rank ", data->size(), " but indices have rank ", indices->size());
  }
  return infer_like_data(context);
}

// A list of known elements that gets some of them replaced (how exporters patch a shape).
void pass_values_on(InferContext& context) {
  const auto *data = context.input_value(0), *updates = context.input_value(2);
  const auto picked = known_ints(context, 1);
  std::optional<std::vector<std::int64_t>> flat = picked;
  if (const Tensor* constant = context.input_constant(1); !flat && constant && constant->elements() <= 64) {
    if (auto values = index_values(*constant, "indices"); values.ok()) flat = *std::move(values);
  }
  const SymbolicShape* shape = context.input_shape(0);
  if (!data || !updates || !flat || !shape || shape->size() != 1 || flat->size() != updates->size()) return;
  if (context.attributes().get_string("reduction", "none") != "none") return;
  std::vector<Dim> result = *data;
  for (std::size_t i = 0; i < flat->size(); ++i) {
    const auto at = normalize_index((*flat)[i], static_cast<std::int64_t>(result.size()));
    if (!at.ok()) return;
    result[static_cast<std::size_t>(*at)] = (*updates)[i];
  }
  context.set_output_value(0, std::move(result));
}

}  // namespace

OperatorSchema scatter_elements_schema() {
  return {.name = "ScatterElements",
          .since = 11,
          .min_inputs = 3,
          .max_inputs = 3,
          .attributes = {{"axis", AttributeType::Int, false, "0"},
                         {"reduction", AttributeType::String, false, "none", {"none", "add", "mul", "max", "min"}}},
          .infer =
              [](InferContext& context) {
                pass_values_on(context);
                return infer_scatter_elements(context);
              },
          .summary = "writes single elements along an axis, an index for each"};
}

OperatorSchema scatter_nd_schema() {
  return {.name = "ScatterND",
          .since = 11,
          .min_inputs = 3,
          .max_inputs = 3,
          .attributes = {{"reduction", AttributeType::String, false, "none", {"none", "add", "mul", "max", "min"}}},
          .infer =
              [](InferContext& context) {
                pass_values_on(context);
                return infer_like_data(context);
              },
          .summary = "writes slices by index tuples"};
}

}  // namespace fovea::ops
