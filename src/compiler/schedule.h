// SPDX-License-Identifier: Apache-2.0
// The order in which the nodes of a graph run. Any topological order is right; they differ in how many bytes are held at once.
#pragma once

#include <functional>
#include <vector>

#include "compiler/lower.h"

namespace fovea::compiler {

/// Bytes of a value at the typical shapes; 0 where that is not known.
using BytesOf = std::function<std::int64_t(ir::ValueId)>;

enum class Observed { No, Yes };  ///< Yes: beside each step's outputs there is room for somebody to write them again

/// The nodes that `decisions` leave, in the order that needs the least memory among three: the file's, depth first from
/// the outputs, and always the node that leaves fewest bytes behind. Where the most that is held at once is equal, the sum
/// over the steps decides, then the file's order. Graph inputs, outputs and constants live elsewhere and do not count; a
/// view counts as its base. Nothing for a graph with a cycle.
std::optional<std::vector<ir::NodeId>> schedule(const ir::Graph& graph, const Decisions& decisions, const BytesOf& bytes,
                                                Observed observed = Observed::No);

/// Most bytes of values held at once while the nodes run in this order.
std::int64_t peak_bytes(const ir::Graph& graph, const Decisions& decisions, const BytesOf& bytes, const std::vector<ir::NodeId>& order);

}  // namespace fovea::compiler
