// SPDX-License-Identifier: Apache-2.0
#include "passes/fold_shape_arithmetic.h"

#include "base/check.h"
#include "passes/eliminate_dead_code.h"
#include "passes/infer_shapes.h"

namespace fovea::passes {

namespace {

// Folding leaves nodes without outputs behind, which no other pass should meet.
Status sweep(ir::Graph& graph) {
  for (ir::NodeId id = 0; id < graph.num_node_slots(); ++id) {
    if (!graph.alive(id)) continue;
    for (ir::Graph& body : graph.node(id).bodies) FOVEA_RETURN_IF_ERROR(sweep(body));
  }
  return eliminate_dead_code(graph).status();
}

}  // namespace

Result<bool> fold_shape_arithmetic(ir::Graph& graph) {
  FOVEA_ASSIGN(const int folded, fold_propagated_values(graph));
  if (folded > 0) FOVEA_RETURN_IF_ERROR(sweep(graph));
  return folded > 0;
}

}  // namespace fovea::passes
