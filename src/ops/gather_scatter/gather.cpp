// SPDX-License-Identifier: Apache-2.0
// Gather, GatherElements and GatherND: schemas and shape rules. Gather on the elements of a shape is the usual way
// to read one extent, so it passes values on.
#include "ops/known_values.h"

namespace fovea::ops {

namespace {

Status infer_gather(InferContext& context) {
  context.set_output_type(0, context.input_type(0));
  const SymbolicShape *data = context.input_shape(0), *indices = context.input_shape(1);
  if (!data || !indices) return {};
  FOVEA_ASSIGN(const int axis, normalize_axis(context.attributes().get_int("axis"), static_cast<int>(data->size())));
  SymbolicShape output(data->begin(), data->begin() + axis);
  output.insert(output.end(), indices->begin(), indices->end());
  output.insert(output.end(), data->begin() + axis + 1, data->end());
  if (output.size() > kMaxRank) return unsupported("rank ", output.size(), ": at most ", kMaxRank, " dimensions are supported");
  const auto* value = context.input_value(0);
  const auto picked = known_ints(context, 1);
  if (value && picked && data->size() == 1) {
    std::vector<Dim> elements;
    for (std::int64_t index : *picked) {
      FOVEA_ASSIGN(const std::int64_t at, normalize_index(index, static_cast<std::int64_t>(value->size())));
      elements.push_back((*value)[static_cast<std::size_t>(at)]);
    }
    context.set_output_value(0, std::move(elements));
  }
  context.set_output_shape(0, std::move(output));
  return {};
}

Status infer_gather_elements(InferContext& context) {
  context.set_output_type(0, context.input_type(0));
  const SymbolicShape *data = context.input_shape(0), *indices = context.input_shape(1);
  if (data) FOVEA_RETURN_IF_ERROR(normalize_axis(context.attributes().get_int("axis"), static_cast<int>(data->size())).status());
  if (data && indices && data->size() != indices->size()) {
    return invalid_argument("data has rank ", data->size(), " but indices have rank ", indices->size());
  }
  if (indices) context.set_output_shape(0, *indices);
  return {};
}

Status infer_gather_nd(InferContext& context) {
  context.set_output_type(0, context.input_type(0));
  const SymbolicShape *data = context.input_shape(0), *indices = context.input_shape(1);
  if (!data || !indices) return {};
  const std::int64_t batch = context.attributes().get_int("batch_dims");
  if (indices->empty()) return invalid_argument("indices must not be a scalar");
  if (batch < 0 || batch >= static_cast<std::int64_t>(indices->size()) || batch >= static_cast<std::int64_t>(data->size())) {
    return invalid_argument("batch_dims is ", batch, " for data of rank ", data->size(), " and indices of rank ", indices->size());
  }
  if (!indices->back().is_constant()) return {};
  const std::int64_t depth = indices->back().constant();
  if (depth < 1 || batch + depth > static_cast<std::int64_t>(data->size())) {
    return invalid_argument("indices point ", depth, " deep behind ", batch, " batch axes into data of rank ", data->size());
  }
  SymbolicShape output(indices->begin(), indices->end() - 1);
  output.insert(output.end(), data->begin() + batch + depth, data->end());
  if (output.size() > kMaxRank) return unsupported("rank ", output.size(), ": at most ", kMaxRank, " dimensions are supported");
  context.set_output_shape(0, std::move(output));
  return {};
}

}  // namespace

OperatorSchema gather_schema() {
  return {.name = "Gather",
          .min_inputs = 2,
          .max_inputs = 2,
          .attributes = {{"axis", AttributeType::Int, false, "0"}},
          .infer = infer_gather,
          .summary = "picks slices along an axis by index"};
}

OperatorSchema gather_elements_schema() {
  return {.name = "GatherElements",
          .since = 11,
          .min_inputs = 2,
          .max_inputs = 2,
          .attributes = {{"axis", AttributeType::Int, false, "0"}},
          .infer = infer_gather_elements,
          .summary = "picks single elements along an axis, an index for each"};
}

OperatorSchema gather_nd_schema() {
  return {.name = "GatherND",
          .since = 11,
          .min_inputs = 2,
          .max_inputs = 2,
          .attributes = {{"batch_dims", AttributeType::Int, false, "0"}},
          .infer = infer_gather_nd,
          .summary = "picks slices by index tuples"};
}

}  // namespace fovea::ops
