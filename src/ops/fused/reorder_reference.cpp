// SPDX-License-Identifier: Apache-2.0
// fovea::reorder on plain tensors is a copy: the reference knows no other layout.
#include <cstring>

#include "ops/kernel_context.h"

namespace fovea::ops {

Status fused_reorder_reference(KernelContext& context) {
  const Tensor& x = context.input(0);
  if (x.type() == DataType::string) return unsupported("fovea::reorder: strings");
  FOVEA_ASSIGN(Tensor y, context.output(0, x.type(), x.shape()));
  if (y.raw() != x.raw() && x.bytes() > 0) std::memcpy(y.raw(), x.raw(), x.bytes());
  return {};
}

}  // namespace fovea::ops
