// SPDX-License-Identifier: Apache-2.0
// Removes quantisation steps that change no number. A value "lies on the grid" of (scale, zero point) if it comes from
// a DequantizeLinear with them through operators that only move, pick or compare elements (Reshape, Transpose, Slice,
// MaxPool, Concat of such values, Max, Min, Relu, Pad with zeros ...); quantising it again with the same parameters is
// exact.
//   QuantizeLinear(DequantizeLinear(q, s, z), s, z)                              => q
//   DequantizeLinear(QuantizeLinear(v, s, z), s, z), v on the grid               => v
//   QuantizeLinear(move(DequantizeLinear(q, s, z)), s, z), result kept as integers     => move(q)
// Must not fire where scale, zero point or type differ, with more than one scale across moved elements, with a scale
// that is not positive, or on DequantizeLinear(QuantizeLinear(x)) of any other x: that rounds.
#pragma once

#include "ir/graph.h"

namespace fovea::passes {

Result<bool> remove_qdq_where_exact(ir::Graph& graph);

}  // namespace fovea::passes
