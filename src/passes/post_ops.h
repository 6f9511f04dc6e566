// SPDX-License-Identifier: Apache-2.0
// What fovea::conv and fovea::matmul can do with a finished sum, found in the graph: activation and residual.
#pragma once

#include <optional>
#include <string>

#include "passes/match.h"

namespace fovea::passes {

/// An operator that is one of base/activation.h.
struct FoundActivation {
  ValueId x = kNone;
  std::string name;  ///< "relu", "silu" ...
  std::optional<double> alpha, beta;
};

std::optional<FoundActivation> activation_of(const Graph& graph, NodeId node);

/// Takes the activation and the residual addition behind the fused node `id` (inputs: two operands, bias, residual)
/// into it, as far as its definition allows: act(y + r) or act(y) + r. Returns the node that now stands there.
NodeId absorb_post_ops(Graph& graph, NodeId id);

}  // namespace fovea::passes
