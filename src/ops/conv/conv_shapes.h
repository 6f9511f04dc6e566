// SPDX-License-Identifier: Apache-2.0
// The shape rule that Conv, ConvInteger, QLinearConv and the fused convolutions share.
#pragma once

#include "ops/schema.h"

namespace fovea::ops {

/// Sets output 0 to [n, oc, extents...] with element type `type`; `x` and `weights` are input numbers.
/// Contradictions between known extents are errors, unknown ones are not.
Status infer_convolution(InferContext& context, int x, int weights, DataType type);

}  // namespace fovea::ops
