// SPDX-License-Identifier: Apache-2.0
// Running error of pointwise programs (Wilkinson; Higham 2002, 3.3): beside each value, a bound of what rounding may have
// done to it so far.
#pragma once

#include <optional>

#include "compiler/term_sizes.h"
#include "ops/fused/pointwise_program.h"

namespace fovea::compiler {

/// The program of an elementwise operator or fovea::pointwise, or nothing.
std::optional<PointwiseProgram> program_behind(const Problem& problem);
/// Roundings of all instructions together, of the kernel and of the reference, which rounds after each as well.
double program_steps(const PointwiseProgram& program);

/// limits (f64, the output's shape) = how far a kernel's output `o` may be from the reference's, element by element.
Status running_error(const PointwiseProgram& program, const InputReader& input, int o, Tensor& limits);

}  // namespace fovea::compiler
