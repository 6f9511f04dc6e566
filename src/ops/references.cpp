// SPDX-License-Identifier: Apache-2.0
// The table of reference kernels (ops.def expanded); part of the runtime library.
#include <map>

#include "ops/kernel_context.h"
#include "ops/user_operators.h"

namespace fovea::ops {

#define FOVEA_OP(stem, name) Status stem##_reference(KernelContext&);
#include "ops/ops.def"
#undef FOVEA_OP

ReferenceKernel find_reference(std::string_view op) {
  static const std::map<std::string_view, ReferenceKernel> table = {
#define FOVEA_OP(stem, name) {name, stem##_reference},
#include "ops/ops.def"
#undef FOVEA_OP
  };
  if (const auto it = table.find(op); it != table.end()) return it->second;
  const UserOperator* user = find_user_operator(op);
  return user ? user->reference : nullptr;
}

}  // namespace fovea::ops
