// SPDX-License-Identifier: Apache-2.0
#include "passes/fuse_conv_activation.h"

#include "passes/post_ops.h"
#include "passes/rewrite.h"

namespace fovea::passes {

Result<bool> fuse_conv_activation(Graph& graph) {
  bool changed = false;
  for (NodeId id : graph.topological_order()) {
    if (!graph.alive(id) || graph.node(id).op != "Conv") continue;
    Node fused = graph.node(id);
    fused.op = "fovea::conv";
    fused.outputs.clear();
    absorb_post_ops(graph, replace_node(graph, id, std::move(fused)));
    changed = true;
  }
  return changed;
}

}  // namespace fovea::passes
