// SPDX-License-Identifier: Apache-2.0
// Common subexpressions: nodes with the same operator, attributes and inputs become one, and so do equal constants.
//
//   a = Relu(x); b = Relu(x); y = Add(a, b)        =>        a = Relu(x); y = Add(a, a)
//
// Must not fire on random operators, on nodes with bodies, or where it would lose the name of a graph output.
#pragma once

#include "ir/graph.h"

namespace fovea::passes {

Result<bool> merge_duplicates(ir::Graph& graph);

}  // namespace fovea::passes
