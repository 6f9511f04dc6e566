// SPDX-License-Identifier: Apache-2.0
// Schemas of If, Loop and Scan. Captured outer values are the last `captures` inputs of the node and of each body.
#include "ops/schema.h"

namespace fovea::ops {

namespace {

using BodyValue = InferContext::BodyValue;

constexpr AttributeSpec kCaptures{"captures", AttributeType::Int, false, "0"};

BodyValue input_of(const InferContext& context, int i) {
  BodyValue value{context.input_type(i), std::nullopt};
  if (const SymbolicShape* shape = context.input_shape(i)) value.shape = *shape;
  return value;
}

void store(InferContext& context, int output, const BodyValue& value) {
  context.set_output_type(output, value.type);
  if (value.shape) context.set_output_shape(output, *value.shape);
}

/// Where two branches differ in an extent, the result has a symbol of its own; in rank, nothing is known.
BodyValue merge(InferContext& context, const BodyValue& a, const BodyValue& b) {
  BodyValue merged{a.type == b.type ? a.type : ValueType{a.type.kind, DataType::undefined}, std::nullopt};
  if (!a.shape || !b.shape || a.shape->size() != b.shape->size()) return merged;
  merged.shape = *a.shape;
  for (std::size_t i = 0; i < a.shape->size(); ++i) {
    if (!((*a.shape)[i] == (*b.shape)[i])) (*merged.shape)[i] = context.fresh_symbol("if");
  }
  return merged;
}

Status infer_if(InferContext& context) {
  if (context.num_bodies() != 2) return invalid_argument("If: expected then_branch and else_branch");
  std::vector<BodyValue> inputs;
  for (int i = 1; i < context.num_inputs(); ++i) inputs.push_back(input_of(context, i));
  // A branch that is never taken may contradict the shapes at hand: then nothing is known here, and running it is
  // what would fail.
  const auto then_result = context.infer_body(0, inputs), else_result = context.infer_body(1, inputs);
  if (!then_result.ok() || !else_result.ok()) return {};
  const std::vector<BodyValue>&then_values = *then_result, &else_values = *else_result;
  for (int i = 0; i < context.num_outputs(); ++i) {
    const auto at = static_cast<std::size_t>(i);
    if (at < then_values.size() && at < else_values.size()) store(context, i, merge(context, then_values[at], else_values[at]));
  }
  return {};
}

/// Carried values may change their shape from one iteration to the next: only types are taken from the start.
Status infer_loop(InferContext& context) {
  if (context.num_bodies() != 1) return invalid_argument("Loop: expected one body");
  const auto captures = static_cast<int>(context.attributes().get_int("captures", 0));
  const int carried = context.num_inputs() - 2 - captures;
  if (carried < 0 || carried > context.num_outputs()) return invalid_argument("Loop: ", context.num_outputs(), " outputs for ", carried, " carried values");
  std::vector<BodyValue> inputs = {{{ValueType::Kind::Tensor, DataType::i64}, SymbolicShape()}, {{ValueType::Kind::Tensor, DataType::boolean}, SymbolicShape()}};
  for (int i = 2; i < context.num_inputs(); ++i) {
    inputs.push_back(input_of(context, i));
    if (i < 2 + carried) inputs.back().shape.reset();
  }
  FOVEA_ASSIGN(const std::vector<BodyValue> outputs, context.infer_body(0, inputs));
  for (int i = 0; i < context.num_outputs(); ++i) {
    const auto at = static_cast<std::size_t>(i + 1);
    if (at >= outputs.size()) break;
    context.set_output_type(i, i < carried && context.has_input(i + 2) ? context.input_type(i + 2) : outputs[at].type);
    if (i < carried || !outputs[at].shape) continue;
    SymbolicShape stacked = *outputs[at].shape;
    stacked.insert(stacked.begin(), context.fresh_symbol("loop"));
    context.set_output_shape(i, std::move(stacked));
  }
  return {};
}

Status infer_scan(InferContext& context) {
  if (context.num_bodies() != 1) return invalid_argument("Scan: expected one body");
  const auto captures = static_cast<int>(context.attributes().get_int("captures", 0));
  const auto scanned = static_cast<int>(context.attributes().get_int("num_scan_inputs"));
  const int states = context.num_inputs() - captures - scanned;
  if (scanned < 1 || states < 0 || states > context.num_outputs()) return invalid_argument("Scan: attribute 'num_scan_inputs' is ", scanned, " for ", context.num_inputs() - captures, " inputs");
  const std::vector<std::int64_t> in_axes = context.attributes().get_ints("scan_input_axes"), out_axes = context.attributes().get_ints("scan_output_axes");
  std::optional<Dim> length;
  std::vector<BodyValue> inputs;
  for (int i = 0; i < context.num_inputs(); ++i) {
    inputs.push_back(input_of(context, i));
    const int scan = i - states;
    if (i < states) inputs.back().shape.reset();
    if (scan < 0 || scan >= scanned || !inputs.back().shape) continue;
    SymbolicShape& shape = *inputs.back().shape;
    std::int64_t axis = static_cast<std::size_t>(scan) < in_axes.size() ? in_axes[static_cast<std::size_t>(scan)] : 0;
    const auto rank = static_cast<std::int64_t>(shape.size());
    if (axis < -rank || axis >= rank) return invalid_argument("Scan: axis ", axis, " is out of range for rank ", rank);
    if (axis < 0) axis += rank;
    length = shape[static_cast<std::size_t>(axis)];
    shape.erase(shape.begin() + axis);
  }
  FOVEA_ASSIGN(const std::vector<BodyValue> outputs, context.infer_body(0, inputs));
  for (int i = 0; i < context.num_outputs() && static_cast<std::size_t>(i) < outputs.size(); ++i) {
    const BodyValue& value = outputs[static_cast<std::size_t>(i)];
    context.set_output_type(i, i < states ? context.input_type(i) : value.type);
    if (i < states || !value.shape || !length) continue;
    SymbolicShape stacked = *value.shape;
    std::int64_t axis = static_cast<std::size_t>(i - states) < out_axes.size() ? out_axes[static_cast<std::size_t>(i - states)] : 0;
    const auto rank = static_cast<std::int64_t>(stacked.size()) + 1;
    if (axis < -rank || axis >= rank) return invalid_argument("Scan: output axis ", axis, " is out of range for rank ", rank);
    stacked.insert(stacked.begin() + (axis < 0 ? axis + rank : axis), *length);
    context.set_output_shape(i, std::move(stacked));
  }
  return {};
}

}  // namespace

OperatorSchema if_else_schema() {
  return {.name = "If", .max_inputs = kVariadic, .max_outputs = kVariadic, .types = types(DataType::boolean),
          // Bodies of a node stand in this order: the branch taken when the condition holds comes first.
          .attributes = {{"then_branch", AttributeType::Graph, true}, {"else_branch", AttributeType::Graph, true}, kCaptures},
          .infer = infer_if, .traits = kHasBodies, .summary = "one of two bodies, by a condition"};
}
OperatorSchema loop_schema() {
  return {.name = "Loop", .min_inputs = 2, .max_inputs = kVariadic, .max_outputs = kVariadic,
          .attributes = {{"body", AttributeType::Graph, true}, kCaptures}, .infer = infer_loop, .traits = kHasBodies,
          .summary = "repeats a body with carried values; stacks its scan outputs"};
}
OperatorSchema scan_schema() {
  return {.name = "Scan", .since = 8, .max_inputs = kVariadic, .max_outputs = kVariadic,
          .attributes = {{"body", AttributeType::Graph, true}, kCaptures, {"num_scan_inputs", AttributeType::Int, true},
                         {"scan_input_axes", AttributeType::Ints, false, "all 0"}, {"scan_input_directions", AttributeType::Ints, false, "all 0"},
                         {"scan_output_axes", AttributeType::Ints, false, "all 0"}, {"scan_output_directions", AttributeType::Ints, false, "all 0"}},
          .infer = infer_scan, .traits = kHasBodies, .summary = "a body over the slices of its inputs"};
}

}  // namespace fovea::ops
