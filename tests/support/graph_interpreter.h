// SPDX-License-Identifier: Apache-2.0
// Runs a graph node by node with the reference kernels, bodies included: the oracle of the pass tests.
#pragma once

#include <vector>

#include "base/datum.h"
#include "ir/graph.h"

namespace fovea::testing {

/// Outputs in the graph's order. Fails with Unsupported naming the operator where there is no reference kernel.
Result<std::vector<Datum>> interpret(const ir::Graph& graph, const std::vector<Datum>& inputs);

}  // namespace fovea::testing
