// SPDX-License-Identifier: Apache-2.0
// Identity: output shares the input's memory unless the planner asked for a copy elsewhere.
#include "ops/kernel_context.h"

namespace fovea::ops {

Status identity_reference(KernelContext& context) {
  context.set_output(0, context.datum(0));
  return {};
}

}  // namespace fovea::ops
