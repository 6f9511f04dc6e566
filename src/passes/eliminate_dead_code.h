// SPDX-License-Identifier: Apache-2.0
// Removes nodes whose results nobody uses, trailing optional outputs that nobody uses (MaxPool's indices, Dropout's
// mask), and values that If, Loop and Scan capture for nothing.
//
//   a = Relu(x); b, i = MaxPool(x); -> b        =>        b = MaxPool(x); -> b
//
// Must not fire on graph outputs, on outputs in the middle of a list, or on operators with a variable number of
// outputs (Split's parts are counted by position).
#pragma once

#include "ir/graph.h"

namespace fovea::passes {

Result<bool> eliminate_dead_code(ir::Graph& graph);

}  // namespace fovea::passes
