// SPDX-License-Identifier: Apache-2.0
// x * Sigmoid(x) becomes Swish(x), x * Sigmoid(a x) becomes Swish(x) {alpha=a}, and x * Tanh(Softplus(x)) becomes
// Mish(x).
//
//   s = Sigmoid(x); y = Mul(x, s)        =>        y = Swish(x)
//
// Must not fire where the sigmoid's result is used elsewhere, or on types other than floats.
#pragma once

#include "ir/graph.h"

namespace fovea::passes {

Result<bool> fuse_silu(ir::Graph& graph);

}  // namespace fovea::passes
