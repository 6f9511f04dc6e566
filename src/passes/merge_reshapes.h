// SPDX-License-Identifier: Apache-2.0
// A chain of Reshape, Flatten, Squeeze and Unsqueeze becomes its last step, and a target shape that is computed at run
// time becomes a constant where the known extents say enough.
//
//   a = Reshape(x, s1); y = Reshape(a, s2)        =>        y = Reshape(x, s2')
//
// Must not fire if two extents of the result depend on symbols that do not stand at the same place in x, or if an
// extent is zero.
#pragma once

#include "ir/graph.h"

namespace fovea::passes {

Result<bool> merge_reshapes(ir::Graph& graph);

}  // namespace fovea::passes
