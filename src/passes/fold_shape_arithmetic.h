// SPDX-License-Identifier: Apache-2.0
// Shape arithmetic whose result is known becomes a constant: chains of Shape, Gather, Slice, Concat, Mul ... that end
// in numbers although the network's shape has symbols elsewhere.
//
//   s = Shape(x); c = Gather(s, 1); -> c        =>        const c: i64[] = 3          (x: f32[N,3,H,W])
//
// Must not fire on elements that still depend on a symbol: those are computed when the network runs.
#pragma once

#include "ir/graph.h"

namespace fovea::passes {

Result<bool> fold_shape_arithmetic(ir::Graph& graph);

}  // namespace fovea::passes
