// SPDX-License-Identifier: Apache-2.0
// Trees of elementwise operators become one fovea::pointwise node: one pass over memory instead of one per operator.
// Scalar constants go into the program, other constants stay inputs and broadcast. QuantizeLinear and DequantizeLinear
// with one scale take part.
//
//   a = Mul(x, k); b = Add(a, z); y = Tanh(b)        =>        y = fovea::pointwise(x, k, z) {program="..."}
//
// Must not take in a value that something else uses, that is a graph output, or whose shape is not the result's (its
// elements would be computed many times), nor operators and types that programs cannot express. A single operator stays
// as it is, its own kernel does the same; quantisation has none and becomes a program even alone.
#pragma once

#include "ir/graph.h"

namespace fovea::passes {

Result<bool> form_pointwise_programs(ir::Graph& graph);

}  // namespace fovea::passes
