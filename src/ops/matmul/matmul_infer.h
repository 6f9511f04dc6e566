// SPDX-License-Identifier: Apache-2.0
// The shape rule that all matrix products share.
#pragma once

#include "ops/elementwise/broadcast.h"
#include "ops/schema.h"

namespace fovea::ops {

/// Output 0 = A B with numpy's rules for rank 1 and broadcast batches; a swapped operand is read transposed.
Status infer_product(InferContext& context, int a_input, int b_input, bool swap_a, bool swap_b);

}  // namespace fovea::ops
