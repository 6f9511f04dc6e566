// SPDX-License-Identifier: Apache-2.0
// From an ONNX elementwise operator to instructions of a pointwise program: one definition for the pass that
// forms programs and for the CPU kernels of the single operators.
#pragma once

#include <span>

#include "ops/fused/pointwise_program.h"

namespace fovea {

/// Appends `op` applied to `operands` (instruction numbers of `program`, -1 for a missing optional input) and
/// returns the result's number. f16 and bf16 are computed in f32 and rounded to their type once per operator.
/// Unsupported, with the reason, for operators and types that no program can express.
Result<int> lower_elementwise(std::string_view op, const Attributes& attributes, std::span<const int> operands,
                              PointwiseProgram& program);

/// The program of a single node: inputs in order, one output. `input_types`: undefined for missing inputs.
Result<PointwiseProgram> program_of(std::string_view op, const Attributes& attributes, std::span<const DataType> input_types);

/// True if lower_elementwise knows the operator (types may still refuse).
bool is_lowerable(std::string_view op);

}  // namespace fovea
