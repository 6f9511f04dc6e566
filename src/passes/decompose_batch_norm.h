// SPDX-License-Identifier: Apache-2.0
// An inference BatchNormalization that no convolution took in becomes a factor and a summand per channel, which
// pointwise programs take in.
//
//   y = BatchNormalization(x, scale, bias, mean, var)        =>        s = Mul(x, a); y = Add(s, b)
//
// Must not fire in training mode, on parameters that are not constants, on unknown ranks, or on types other than f32
// and f64 (narrow ones would round twice).
#pragma once

#include "ir/graph.h"

namespace fovea::passes {

Result<bool> decompose_batch_norm(ir::Graph& graph);

}  // namespace fovea::passes
