// SPDX-License-Identifier: Apache-2.0
// Removes work that changes nothing: Identity, inference Dropout, Cast to the same type, Reshape / Transpose / Pad /
// Slice / Expand / Tile / Resize that keep everything, Concat, Split, Sum, Max, Min, Mean of one tensor, x * 1, x / 1,
// x + 0 (up to the sign of a zero), x - 0, x ^ 1, an activation applied twice, chains of Clip, and round trips through
// a wider type.
//
//   a = Relu(x); b = Relu(a); y = Mul(b, one)        =>        y = Relu(x)
//
// Must not fire where the other operand broadcasts to a larger shape, where shapes are not known to be equal, or where
// a graph output would lose its name (an input or constant that is also an output keeps its Identity).
#pragma once

#include "ir/graph.h"

namespace fovea::passes {

Result<bool> eliminate_identities(ir::Graph& graph);

}  // namespace fovea::passes
