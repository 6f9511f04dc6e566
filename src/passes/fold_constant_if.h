// SPDX-License-Identifier: Apache-2.0
// An If whose condition is a constant becomes the nodes of the branch that is taken.
//
//   y = If(true, x) then (a) -> Relu(a) else ...        =>        y = Relu(x)
//
// Must not fire while the condition is not a constant of one element.
#pragma once

#include "ir/graph.h"

namespace fovea::passes {

Result<bool> fold_constant_if(ir::Graph& graph);

}  // namespace fovea::passes
