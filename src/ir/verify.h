// SPDX-License-Identifier: Apache-2.0
// verify(): is a graph well-formed? Run after the importer and after every pass; a failure is a bug of ours or a
// malformed model, and the message names node and value.
#pragma once

#include "ir/graph.h"

namespace fovea::ir {

/// Checks that ids are in range, every used value has exactly one origin (graph input, constant or a live producer
/// that lists it), user lists match the nodes' inputs, names are unique and not empty, there is no cycle, nodes agree
/// with their operator's schema and have its required inputs (unknown operators are let through), constants agree
/// with their value's type and shape, and bodies take and give as many values as their node says. Descends into bodies.
Status verify(const Graph& graph);

}  // namespace fovea::ir
