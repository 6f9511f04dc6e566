// SPDX-License-Identifier: Apache-2.0
// Optional, OptionalGetElement and OptionalHasElement.
#include "ops/kernel_context.h"

namespace fovea::ops {

Status optional_reference(KernelContext& context) {
  context.set_output(0, context.has_input(0) ? context.datum(0) : Datum());
  return {};
}

Status optional_get_element_reference(KernelContext& context) {
  if (!context.has_input(0)) return invalid_argument("the optional is empty");
  context.set_output(0, context.datum(0));
  return {};
}

Status optional_has_element_reference(KernelContext& context) {
  FOVEA_ASSIGN(Tensor output, context.output(0, DataType::boolean, {}));
  *output.data<std::uint8_t>() = context.has_input(0) ? 1 : 0;
  return {};
}

}  // namespace fovea::ops
