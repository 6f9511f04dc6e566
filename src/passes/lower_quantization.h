// SPDX-License-Identifier: Apache-2.0
// QuantizeLinear and DequantizeLinear with one scale, as instructions of a pointwise program.
#pragma once

#include "ops/fused/pointwise_program.h"
#include "passes/match.h"

namespace fovea::passes {

/// One constant f32 scale, a constant zero point (or none), 8- or 16-bit integers on one side and f32 on the other.
bool is_plain_quantization(const Graph& graph, const Node& node);
/// Appends the operator applied to value `x` of the program; returns the result's number.
Result<int> lower_quantization(const Graph& graph, const Node& node, int x, PointwiseProgram& program);

}  // namespace fovea::passes
