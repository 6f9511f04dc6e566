// SPDX-License-Identifier: Apache-2.0
// Lowering with the order of the steps decided: the one that needs least memory at typical extents.
#pragma once

#include "compiler/schedule.h"

namespace fovea::compiler {

/// The decisions in the order that schedule() finds.
Result<Plan> lower_in_order(const ir::Graph& graph, const Bindings& typical, Observed observed, Decisions decisions = {});

/// Every step on its reference kernel, in as little memory as may be: with values that pass in strips.
Result<Plan> lower_reference(const ir::Graph& graph, const Bindings& typical);

}  // namespace fovea::compiler
