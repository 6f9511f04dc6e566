// SPDX-License-Identifier: Apache-2.0
// If: runs the branch that the condition asks for on the captured values.
#include "ops/kernel_context.h"

namespace fovea::ops {

Status if_reference(KernelContext& context) {
  const Tensor& condition = context.input(0);
  if (condition.type() != DataType::boolean || condition.elements() != 1) {
    return invalid_argument("condition: expected one bool, found ", name(condition.type()), " ", condition.shape().to_string());
  }
  if (!context.bodies()) return internal_error("If: no bodies to run");
  std::vector<Datum> captures;
  for (int i = 1; i < context.num_inputs(); ++i) captures.push_back(context.datum(i));
  const int branch = *condition.data<std::uint8_t>() ? 0 : 1;
  FOVEA_ASSIGN(std::vector<Datum> results, context.bodies()->run(branch, std::move(captures)));
  if (static_cast<int>(results.size()) < context.num_outputs()) {
    return invalid_argument("the branch gives ", results.size(), " outputs; expected ", context.num_outputs());
  }
  for (int i = 0; i < context.num_outputs(); ++i) context.set_output(i, std::move(results[static_cast<std::size_t>(i)]));
  return {};
}

}  // namespace fovea::ops
