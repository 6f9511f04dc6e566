// SPDX-License-Identifier: Apache-2.0
// How far the outputs of a whole network are from those of the model on reference kernels.
#pragma once

#include <string>
#include <vector>

#include "base/datum.h"
#include "engine/plan.h"
#include "ir/graph.h"

namespace fovea::compiler {

/// Worst error of the floating outputs relative to their range. Integer outputs (labels, indices) do not count: one may
/// flip where two scores are closer than rounding.
struct EndToEnd {
  double relative = 0;   ///< infinite where an output has another shape
  std::string worst;     ///< the output's name
  Decision to_decision(const char* code, const char* what) const;

  /// LARGE_ERROR: what it may come from and what to do.
  Decision remark() const;
};

/// An error beyond which somebody should look, though each step is within its own limit: more than rounding does in a
/// network whose numbers neither cancel nor choose. 1e-3 in f32, 32 roundings of the coarsest type between (f16: 0.016),
/// and four steps of 127 where values are quantised.
double remarkable_error(const ir::Graph& model);

/// Both one per output of the plan. Fails where outputs cannot be compared at all.
Result<EndToEnd> compare_outputs(const Plan& plan, const std::vector<Datum>& actual, const std::vector<Datum>& expected);

}  // namespace fovea::compiler
