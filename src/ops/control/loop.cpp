// SPDX-License-Identifier: Apache-2.0
// Loop: schema and shape rule. Node inputs: trip count, condition, carried values, captures. Body inputs: iteration,
// condition, carried values, captures; body outputs: condition, carried values, scan outputs.
#include "ops/control/body_facts.h"

namespace fovea::ops {

namespace {

// What changes from iteration to iteration: for each carried value its rank, or single extents.
struct Varying {
  bool rank = false;
  std::vector<char> axes;
};

// Marks what differs between a carried value going in and coming out; true if something new was found.
bool compare(const BodyValue& in, const BodyValue& out, Varying& varying) {
  if (varying.rank) return false;
  if (!in.shape) return varying.rank = true;
  varying.axes.resize(in.shape->size(), 0);
  if (!out.shape || out.shape->size() != in.shape->size()) return varying.rank = true;
  bool found = false;
  for (std::size_t axis = 0; axis < in.shape->size(); ++axis) {
    if (varying.axes[axis] || (*in.shape)[axis] == (*out.shape)[axis]) continue;
    varying.axes[axis] = 1;
    found = true;
  }
  return found;
}

std::vector<BodyValue> body_inputs(InferContext& context, const std::vector<Varying>& varying) {
  std::vector<BodyValue> values = {{{ValueType::Kind::Tensor, DataType::i64}, SymbolicShape{}},
                                   {{ValueType::Kind::Tensor, DataType::boolean}, SymbolicShape{}}};
  for (std::size_t i = 0; i < varying.size(); ++i) {
    BodyValue value = shape_of_input(context, static_cast<int>(i) + 2);
    if (varying[i].rank) value.shape.reset();
    for (std::size_t axis = 0; value.shape && axis < varying[i].axes.size(); ++axis) {
      if (varying[i].axes[axis]) (*value.shape)[axis] = context.fresh_symbol("carried");
    }
    values.push_back(std::move(value));
  }
  append_captures(context, values);
  return values;
}

// Scan outputs are as long as the loop runs, which is known if the condition never ends it.
Dim trip_count(InferContext& context, const BodyValue& next_condition) {
  const auto trips = known_dims(context, 0);
  const auto always = [](const std::vector<Dim>* value) { return value && value->size() == 1 && (*value)[0] == Dim(1); };
  const bool starts = !context.has_input(1) || always(context.input_value(1));
  const bool goes_on = always(next_condition.value ? &*next_condition.value : nullptr);
  if (!trips || trips->size() != 1 || !starts || !goes_on) return context.fresh_symbol("loop");
  const Dim& count = (*trips)[0];
  return count.is_constant() ? Dim(std::max<std::int64_t>(count.constant(), 0)) : count.is_symbol() ? count : max(count, Dim(0));
}

Status infer_loop(InferContext& context) {
  if (context.num_bodies() != 1) return invalid_model("expected 1 body, found ", context.num_bodies());
  const int carried = std::max(declared_inputs(context) - 2, 0);
  std::vector<Varying> varying(static_cast<std::size_t>(carried));
  std::vector<BodyValue> outputs;
  // Each round either finds something new that varies or is the last, so this ends.
  for (bool again = true; again;) {
    const std::vector<BodyValue> inputs = body_inputs(context, varying);
    FOVEA_ASSIGN(outputs, context.infer_body(0, inputs));
    if (outputs.size() < static_cast<std::size_t>(carried) + 1) return invalid_model("the body has ", outputs.size(), " outputs for ", carried, " carried values");
    again = false;
    for (std::size_t i = 0; i < varying.size(); ++i) again = compare(inputs[i + 2], outputs[i + 1], varying[i]) || again;
  }
  const std::vector<std::string> outer = outer_symbols(context);
  for (int i = 0; i < context.num_outputs(); ++i) {
    const auto at = static_cast<std::size_t>(i);
    if (at + 1 >= outputs.size()) return invalid_model("the body has too few outputs");
    const BodyValue& found = outputs[at + 1];
    set_type_if_known(context, i, found.type);
    if (!found.shape) continue;
    SymbolicShape shape;
    if (i < carried) {
      if (varying[at].rank) continue;
      for (std::size_t axis = 0; axis < found.shape->size(); ++axis) {
        shape.push_back(varying[at].axes[axis] ? context.fresh_symbol("loop") : seen_from_outside(context, (*found.shape)[axis], outer, "loop"));
      }
    } else {
      shape.push_back(trip_count(context, outputs[0]));
      for (const Dim& dim : *found.shape) shape.push_back(seen_from_outside(context, dim, outer, "loop"));
    }
    context.set_output_shape(i, std::move(shape));
  }
  return {};
}

}  // namespace

OperatorSchema loop_schema() {
  return {.name = "Loop",
          .min_inputs = 2,
          .max_inputs = kVariadic,
          .min_outputs = 1,
          .max_outputs = kVariadic,
          .attributes = {{"body", AttributeType::Graph, true}, {"captures", AttributeType::Int, false, "0"}},
          .infer = infer_loop,
          .traits = kHasBodies | kDataDependent,
          .summary = "repeats a body with carried values"};
}

}  // namespace fovea::ops
