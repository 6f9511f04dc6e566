// SPDX-License-Identifier: Apache-2.0
// Every exported spelling of GELU, exact and by tanh:
//   x * 0.5 * (1 + Erf(x / sqrt(2)))                                  => Gelu(x)
//   x * 0.5 * (1 + Tanh(sqrt(2/pi) * (x + 0.044715 x^3)))             => Gelu(x) {approximate="tanh"}
// in any order and association of the products, with Div or Mul, Pow or repeated Mul.
// Must not fire where an inner result is used elsewhere or a constant differs.
#pragma once

#include "ir/graph.h"

namespace fovea::passes {

Result<bool> fuse_gelu(ir::Graph& graph);

}  // namespace fovea::passes
