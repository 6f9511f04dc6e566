// SPDX-License-Identifier: Apache-2.0
// Subgraphs between values: which nodes compute some values from others, and a graph of just those.
#pragma once

#include <set>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "ir/graph.h"

namespace fovea::surgery {

/// The value with this name; InvalidArgument, with the nearest names, if there is none.
Result<ir::ValueId> find_tensor(const ir::Graph& graph, std::string_view name);
Result<std::vector<ir::ValueId>> find_tensors(const ir::Graph& graph, const std::vector<std::string>& names);

/// What computes `outputs` when `stops` are given.
struct Cone {
  std::set<ir::NodeId> nodes;
  std::set<ir::ValueId> stops;   ///< those that are read, outputs themselves included
  std::set<ir::ValueId> inputs;  ///< graph inputs that are still needed (and are no stops)
};
Cone cone_of(const ir::Graph& graph, const std::vector<ir::ValueId>& outputs, const std::set<ir::ValueId>& stops);

/// "y <- Relu <- a <- Conv <- x": how `output` depends on `input` past the stops, shortened in the middle.
std::string path_between(const ir::Graph& graph, ir::ValueId output, ir::ValueId input, const std::set<ir::ValueId>& stops);

/// A graph of its own with these inputs and outputs. InvalidArgument, with the path, if the outputs need more.
Result<ir::Graph> subgraph(const ir::Graph& graph, const std::vector<ir::ValueId>& inputs, const std::vector<ir::ValueId>& outputs);

}  // namespace fovea::surgery
