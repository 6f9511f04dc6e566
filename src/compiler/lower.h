// SPDX-License-Identifier: Apache-2.0
// lower(): from the optimised graph and the compiler's decisions to a Plan.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/check.h"
#include "engine/plan.h"
#include "ir/graph.h"

namespace fovea::compiler {

/// A value that lies inside another value's memory (see PlanView).
struct ViewDecision {
  ir::ValueId base = ir::kNone;
  PlanView::Kind kind = PlanView::Kind::Reshape;
  int axis = 0;
  Dim offset;
};

struct Decisions {
  std::map<ir::NodeId, std::string> kernels;     ///< chosen candidate; absent: reference
  std::map<ir::ValueId, ViewDecision> views;
  std::set<ir::NodeId> elided;                   ///< nodes that views made unnecessary
  std::vector<ir::NodeId> order;                 ///< of all nodes but the elided ones; empty: the graph's topological order
  std::vector<PlanStrips> strips;                ///< positions in `order`
};

/// Steps come out in the decided order; values nobody refers to are left out.
Result<Plan> lower(const ir::Graph& graph, const Decisions& decisions = {});

}  // namespace fovea::compiler
