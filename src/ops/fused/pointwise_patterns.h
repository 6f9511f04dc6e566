// SPDX-License-Identifier: Apache-2.0
// Chains of instructions for which there is one tile function: quantisation steps, which are ten instructions each. All are
// exact: the function computes what the instructions compute, bit for bit.
#pragma once

#include <vector>

#include "ops/fused/pointwise_tiles.h"

namespace fovea::cpu {

/// One function over tiles and the program's values that it reads.
struct PointwiseStep {
  static constexpr int kMaxOperands = 10;
  TileFunction function = nullptr;
  int operands[kMaxOperands] = {};
  int count = 0;
};

/// Powers with a constant exponent that are a multiplication or a root.
void simplify_powers(PointwiseProgram& program);

/// Lets users of f32 -> i8 or u8 -> f32 read the first value where it consists of whole numbers inside the type's range.
/// Keeps the numbers of instructions; what nobody uses any more stays.
void skip_integer_detours(PointwiseProgram& program);

/// Per instruction: the step that computes it from further back, if there is one. May append constants.
std::vector<PointwiseStep> find_quantisation_steps(PointwiseProgram& program);

}  // namespace fovea::cpu
