// SPDX-License-Identifier: Apache-2.0
// The scan outputs of Loop and Scan: one tensor per iteration, joined along a new axis at the end.
#pragma once

#include <cstdint>
#include <vector>

#include "ops/kernel_context.h"

namespace fovea::ops {

class StackedOutput {
 public:
  /// All iterations must give one type and shape. ResourceExhausted when the whole would pass the limit of memory.
  Status add(const Datum& datum);
  /// Writes output `i`: the iterations along a new axis `axis` (negative counts from the end), the last one first if
  /// `reversed`. Without iterations type and shape come from what the body promises as its output `body_output`.
  Status write(KernelContext& context, int i, std::int64_t axis, bool reversed, int body_output) const;

 private:
  std::vector<Tensor> slices_;
};

}  // namespace fovea::ops
