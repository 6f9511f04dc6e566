// SPDX-License-Identifier: Apache-2.0
// A network that computes in f16 or bf16 computes in f32 instead: for devices without arithmetic in those types (CPUs
// would convert around every operator). Inputs and outputs keep their types behind one Cast each; results get more
// exact, never less.
//
//   y = Conv(x: f16, w: f16)        =>        a = Cast(x) {to=f32}; b = Conv(a, w: f32); y = Cast(b) {to=f16}
//
// Must not fire where a node has a body or a sequence of such a type, or where an operator looks at the bits of its
// input (BitCast) or comes from a plugin, which alone knows what types it takes and makes. Then nothing is changed at all.
#pragma once

#include "ir/graph.h"

namespace fovea::passes {

Result<bool> widen_half_precision(ir::Graph& graph);

}  // namespace fovea::passes
