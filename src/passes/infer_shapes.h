// SPDX-License-Identifier: Apache-2.0
// Type and shape inference over a graph: runs every operator's shape rule in topological order, bodies included,
// with the elements of small integer tensors (shape arithmetic) followed as expressions.
#pragma once

#include "ir/graph.h"

namespace fovea::passes {

/// Stores what is found in every value's type and shape. What a value already declares is kept where it is the more
/// precise; a contradiction between two constants is an error: "node 'name' (Op): ...". Extents that depend on data
/// get symbols that are new to the graph ("nonzero_0"); running it again keeps the symbols of the first run.
/// Operators without a schema leave their outputs as declared.
Status infer_shapes(ir::Graph& graph);

/// Infers, then turns every i32/i64/bool list or scalar whose elements came out as known numbers into a constant.
/// Returns how many; nodes that lost all their outputs are left to dead code elimination.
Result<int> fold_propagated_values(ir::Graph& graph);

}  // namespace fovea::passes
