// SPDX-License-Identifier: Apache-2.0
// DynamicKernel: a kernel that can also run a node whose output extents depend on data, so that no problem can be stated
// before it ran.
#pragma once

#include "device/kernel.h"

namespace fovea {

namespace ops { class KernelContext; }

class DynamicKernel : public Kernel {
 public:
  /// Does what the reference does: checks what it indexes by and allocates its outputs. Runs on OpenMP's default team.
  virtual Status run_dynamic(ops::KernelContext& context) const = 0;
};

}  // namespace fovea
