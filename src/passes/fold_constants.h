// SPDX-License-Identifier: Apache-2.0
// Runs the reference kernel of every node whose inputs are all constants and keeps the results.
//
//   const a; const b; c = Add(a, b)        =>        const c
//
// Must not fire on random operators, on nodes with bodies, on sequences, where the result would be large or of unknown
// shape (more than 16 MiB and more than four times its inputs: a ConstantOfShape of a giant shape stays an operator),
// or on products and convolutions of more than 1 MiB.
#pragma once

#include "ir/graph.h"

namespace fovea::passes {

Result<bool> fold_constants(ir::Graph& graph);
/// The same, but DequantizeLinear stays: the integers of quantised weights are still to be matched.
Result<bool> fold_constants_keep_quantized(ir::Graph& graph);

}  // namespace fovea::passes
