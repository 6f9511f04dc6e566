// SPDX-License-Identifier: Apache-2.0
// If: schema and shape rule. Where the branches agree, so much is known of the output; of a known condition only the
// branch taken counts.
#include "ops/control/body_facts.h"

namespace fovea::ops {

namespace {

const std::vector<BodyValue>* known_branch(const InferContext& context, const std::vector<BodyValue>& branch_then,
                                           const std::vector<BodyValue>& branch_else) {
  const auto* condition = context.input_value(0);
  if (!condition || condition->size() != 1 || !(*condition)[0].is_constant()) return nullptr;
  return (*condition)[0].constant() != 0 ? &branch_then : &branch_else;
}

Status infer_if(InferContext& context) {
  if (context.num_bodies() != 2) return invalid_model("expected 2 bodies, found ", context.num_bodies());
  std::vector<BodyValue> captures;
  append_captures(context, captures);
  // A branch that is never taken may contradict the shapes at hand. Then nothing is known here, and running it is
  // what would fail.
  auto then_result = context.infer_body(0, captures), else_result = context.infer_body(1, captures);
  if (!then_result.ok() || !else_result.ok()) return {};
  const std::vector<BodyValue>&branch_then = *then_result, &branch_else = *else_result;
  const std::vector<std::string> outer = outer_symbols(context);
  const std::vector<BodyValue>* taken = known_branch(context, branch_then, branch_else);
  for (int i = 0; i < context.num_outputs(); ++i) {
    const auto at = static_cast<std::size_t>(i);
    if (at >= branch_then.size() || at >= branch_else.size()) return invalid_model("branches have fewer outputs than the node");
    const BodyValue& a = taken ? (*taken)[at] : branch_then[at];
    const BodyValue& b = taken ? (*taken)[at] : branch_else[at];
    // One branch may give a bare value where the other gives an optional.
    set_type_if_known(context, i, a.type.kind == ValueType::Kind::Tensor || a.type.kind == ValueType::Kind::Sequence ? b.type : a.type);
    if (a.type.element == DataType::undefined) set_type_if_known(context, i, b.type);
    if (a.value && b.value && *a.value == *b.value) {
      const bool outside = std::all_of(a.value->begin(), a.value->end(), [&](const Dim& dim) { return seen_from_outside(context, dim, outer, "if") == dim; });
      if (outside) context.set_output_value(i, *a.value);
    }
    if (!a.shape || !b.shape || a.shape->size() != b.shape->size()) continue;
    SymbolicShape shape;
    for (std::size_t axis = 0; axis < a.shape->size(); ++axis) {
      const bool agree = (*a.shape)[axis] == (*b.shape)[axis];
      shape.push_back(agree ? seen_from_outside(context, (*a.shape)[axis], outer, "if") : context.fresh_symbol("if"));
    }
    context.set_output_shape(i, std::move(shape));
  }
  return {};
}

}  // namespace

OperatorSchema if_schema() {
  return {.name = "If",
          .min_inputs = 1,
          .max_inputs = 1,
          .min_outputs = 1,
          .max_outputs = kVariadic,
          .types = types(DataType::boolean),
          .attributes = {{"then_branch", AttributeType::Graph, true},
                         {"else_branch", AttributeType::Graph, true},
                         {"captures", AttributeType::Int, false, "0"}},
          .infer = infer_if,
          .traits = kHasBodies | kDataDependent,
          .summary = "runs one of two bodies"};
}

}  // namespace fovea::ops
