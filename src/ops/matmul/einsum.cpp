// SPDX-License-Identifier: Apache-2.0
// Einsum: schema and shape rule.
#include <map>

#include "ops/matmul/einsum_equation.h"
#include "ops/schema.h"

namespace fovea::ops {

namespace {

Status infer_einsum(InferContext& context) {
  context.set_output_element(0, context.input_element(0));
  std::vector<int> ranks;
  for (int i = 0; i < context.num_inputs(); ++i) {
    if (!context.input_shape(i)) return {};
    ranks.push_back(static_cast<int>(context.input_shape(i)->size()));
  }
  FOVEA_ASSIGN(const EinsumEquation equation, parse_einsum(context.attributes().get_string("equation"), ranks));
  std::map<char, Dim> extents;
  for (int i = 0; i < context.num_inputs(); ++i) {
    for (std::size_t axis = 0; axis < equation.operands[static_cast<std::size_t>(i)].size(); ++axis) {
      const Dim& dim = (*context.input_shape(i))[axis];
      const auto [at, fresh] = extents.emplace(equation.operands[static_cast<std::size_t>(i)][axis], dim);
      if (!fresh && at->second == Dim(1)) at->second = dim;
    }
  }
  SymbolicShape output;
  for (const char label : equation.output) output.push_back(extents.at(label));
  context.set_output_shape(0, std::move(output));
  return {};
}

}  // namespace

OperatorSchema einsum_schema() {
  return {.name = "Einsum", .since = 12, .max_inputs = kVariadic, .types = kNumericTypes, .attributes = {{"equation", AttributeType::String, true}},
          .infer = infer_einsum, .summary = "sums of products over labelled axes"};
}

}  // namespace fovea::ops
