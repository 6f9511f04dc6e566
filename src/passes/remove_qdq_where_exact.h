// SPDX-License-Identifier: Apache-2.0
// Removes quantisation steps that change no number:
//   QuantizeLinear(DequantizeLinear(q, s, z), s, z)              => q
//   QuantizeLinear(move(DequantizeLinear(q, s, z)), s, z)        => move(q)
// for one positive scale, where move is Reshape, Transpose, MaxPool, Slice, Squeeze, Unsqueeze, Flatten, Expand,
// DepthToSpace or SpaceToDepth.
// Must not fire where scale, zero point or type differ, or on DequantizeLinear(QuantizeLinear(x)), which rounds.
#pragma once

#include "ir/graph.h"

namespace fovea::passes {

Result<bool> remove_qdq_where_exact(ir::Graph& graph);

}  // namespace fovea::passes
