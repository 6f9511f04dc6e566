// SPDX-License-Identifier: Apache-2.0
// A Gather along the channels of a concatenation that only such Gathers read becomes a concatenation of pieces of its
// parts, through any number of steps; the concatenations in between, and the copies into them, disappear.
//
//   c = Concat(a, b) {axis=1}; y = Gather(c, [2,3, 6,7]) {axis=1}        =>        y = Concat(a[2:4], b[2:4]) {axis=1}
//
// Must not fire where a piece is not a run of channels, where there would be more than twelve pieces, or where
// something else needs the concatenation as a whole.
#pragma once

#include "ir/graph.h"

namespace fovea::passes {

Result<bool> split_gathers(ir::Graph& graph);

}  // namespace fovea::passes
