// SPDX-License-Identifier: Apache-2.0
// Moves an activation up over reshapes and transposes to the convolution or product that made its input, which can then
// take it in.
//
//   c = Conv(x, w); t = Transpose(c); r = Reshape(t, s); y = Sigmoid(r)
//                                  =>        c = Conv(x, w); a = Sigmoid(c); t = Transpose(a); y = Reshape(t, s)
//
// Must not fire where a value in between is used elsewhere or is a graph output.
#pragma once

#include "ir/graph.h"

namespace fovea::passes {

Result<bool> hoist_activations(ir::Graph& graph);

}  // namespace fovea::passes
