// SPDX-License-Identifier: Apache-2.0
// Every exported spelling of hard sigmoid and hard swish:
//   Div(Clip(Add(x, 3), 0, 6), 6), Mul(Clip(...), 1/6), Clip(Add(Mul(x, a), b), 0, 1)      => HardSigmoid(x)
//   x * that, with the factor anywhere: Mul(x, Clip(...)) / 6                              => HardSwish(x)
// Must not fire where an inner result is used elsewhere or a bound is another number.
#pragma once

#include "ir/graph.h"

namespace fovea::passes {

Result<bool> fuse_hard_swish(ir::Graph& graph);

}  // namespace fovea::passes
