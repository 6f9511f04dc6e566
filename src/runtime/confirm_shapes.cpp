// SPDX-License-Identifier: Apache-2.0
#include "runtime/confirm_shapes.h"

#include "ops/concrete_infer.h"

namespace fovea {

Status confirm_shapes(const Problem& problem) {
  const ops::OperatorSchema* schema = ops::find_schema(problem.op);
  if (!schema || !schema->infer) return {};
  ops::ConcreteInfer context(problem);
  FOVEA_RETURN_IF_ERROR(schema->infer(context));
  for (std::size_t o = 0; o < problem.outputs.size(); ++o) {
    const TensorDesc& declared = problem.outputs[o];
    if (declared.type == DataType::undefined) continue;
    const ValueType type = context.types[o];
    if (type.kind == ValueType::Kind::Tensor && type.element != DataType::undefined && type.element != declared.type) {
      return invalid_model(problem.op, ": output ", o, " is declared ", name(declared.type), ", the operator gives ", name(type.element));
    }
    const auto shape = context.found[o] ? to_concrete(*context.found[o]) : std::nullopt;
    if (shape && !(*shape == declared.shape)) {
      return invalid_model(problem.op, ": output ", o, " is declared ", declared.shape.to_string(), ", the operator gives ", shape->to_string());
    }
  }
  return {};
}

}  // namespace fovea
