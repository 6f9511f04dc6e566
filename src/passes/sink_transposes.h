// SPDX-License-Identifier: Apache-2.0
// Moves Transpose down past elementwise work, Concat, kept reductions, Pad and Slice where another Transpose waits:
// then both become one or none. A Transpose that only moves extents of 1 becomes a Reshape.
//
//   a = Transpose(x, p); b = Relu(a); y = Transpose(b, q)        =>        b = Relu(x); y = Transpose(b, p then q)
//
// Must not fire where no other Transpose can be met, where the transposed value has another user (two copies of the
// work), where another operand is neither transposed alike nor a constant, or where broadcasting makes the result
// larger than the transposed operand.
#pragma once

#include "ir/graph.h"

namespace fovea::passes {

Result<bool> sink_transposes(ir::Graph& graph);

}  // namespace fovea::passes
