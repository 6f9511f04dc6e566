// SPDX-License-Identifier: Apache-2.0
// check_plan: whether a plan makes sense as a whole, so that whoever runs it may trust its numbers.
#pragma once

#include "base/check.h"
#include "engine/plan.h"

namespace fovea::engine {

/// If in Loop in Scan ... deeper nesting is refused.
inline constexpr int kMaxBodyDepth = 16;

/// InvalidModel, or Unsupported for an operator or kernel this runtime does not have; the message names the step or
/// value. After Ok, for the plan and each of its bodies:
///  - every index is in range; inputs and outputs name distinct plain values
///  - operators of plugins are the ones, of the version and the schema, that the plan records (plugin_use.h)
///  - every step's operator is known and its attributes, arity and bodies fit the schema; its kernel exists
///  - constants have the type, shape and bytes their values declare; nothing writes into a constant or an input
///  - views form no cycle, and where extents are numbers they lie inside their base
///  - each value is produced once, before it is read
/// Extents that are expressions are checked when a session evaluates them.
Status check_plan(const Plan& plan);

}  // namespace fovea::engine
