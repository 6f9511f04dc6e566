// SPDX-License-Identifier: Apache-2.0
// Expand and Tile: schemas and shape rules.
#include <algorithm>

#include "ops/elementwise/broadcast.h"
#include "ops/known_values.h"

namespace fovea::ops {

namespace {

Status infer_expand(InferContext& context) {
  context.set_output_type(0, context.input_type(0));
  const SymbolicShape* input = context.input_shape(0);
  if (!input) return {};
  const auto target = known_dims(context, 1);
  if (!target) {
    if (const auto length = known_length(context, 1)) {
      context.set_output_shape(0, unknown_shape(context, std::max(*length, static_cast<std::int64_t>(input->size())), "expand"));
    }
    return {};
  }
  const SymbolicShape* const shapes[] = {input, &*target};
  FOVEA_ASSIGN(SymbolicShape output, broadcast_shapes("Expand", shapes));
  const auto* value = context.input_value(0);
  if (value && value->size() == 1 && output.size() <= 1) {
    const Dim count = product(output);
    if (count.is_constant() && count.constant() >= 0 && count.constant() <= 64) {
      context.set_output_value(0, std::vector<Dim>(static_cast<std::size_t>(count.constant()), (*value)[0]));
    }
  } else if (value && output == *input) {
    context.set_output_value(0, *value);
  }
  context.set_output_shape(0, std::move(output));
  return {};
}

Status infer_tile(InferContext& context) {
  context.set_output_type(0, context.input_type(0));
  const SymbolicShape* input = context.input_shape(0);
  if (!input) return {};
  const auto repeats = known_dims(context, 1);
  if (!repeats) {
    context.set_output_shape(0, unknown_shape(context, static_cast<std::int64_t>(input->size()), "tile"));
    return {};
  }
  if (repeats->size() != input->size()) return invalid_argument("repeats has ", repeats->size(), " entries for an input of rank ", input->size());
  SymbolicShape output;
  for (std::size_t i = 0; i < input->size(); ++i) {
    if ((*repeats)[i].is_constant() && (*repeats)[i].constant() < 0) return invalid_argument("repeats has the negative entry ", (*repeats)[i].constant());
    output.push_back((*input)[i] * (*repeats)[i]);
  }
  if (const auto* value = context.input_value(0); value && output.size() <= 1) {
    const Dim times = product(*repeats);
    if (times.is_constant() && times.constant() * static_cast<std::int64_t>(value->size()) <= 64 && times.constant() <= 64) {
      std::vector<Dim> tiled;
      for (std::int64_t i = 0; i < times.constant(); ++i) tiled.insert(tiled.end(), value->begin(), value->end());
      context.set_output_value(0, std::move(tiled));
    }
  }
  context.set_output_shape(0, std::move(output));
  return {};
}

}  // namespace

OperatorSchema expand_schema() {
  return {.name = "Expand", .min_inputs = 2, .max_inputs = 2, .infer = infer_expand, .summary = "broadcasts the input to a shape"};
}

OperatorSchema tile_schema() {
  return {.name = "Tile", .min_inputs = 2, .max_inputs = 2, .infer = infer_tile, .summary = "repeats the input along each axis"};
}

}  // namespace fovea::ops
