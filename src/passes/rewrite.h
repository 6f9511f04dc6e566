// SPDX-License-Identifier: Apache-2.0
// Changing a graph so that names of graph outputs survive and nothing dead stays behind. Passes use these instead of
// Graph's own primitives wherever they fit.
#pragma once

#include <string>
#include <vector>

#include "passes/match.h"

namespace fovea::passes {

/// A new node takes over the outputs (same value ids, names, types) of `old`, which disappears with everything that
/// only it needed. `replaced`: further nodes the new one stands for; their names are kept as sources.
NodeId replace_node(Graph& graph, NodeId old, Node fresh, const std::vector<NodeId>& replaced = {});
/// Shorthand: a node with the one output of `old`.
NodeId replace_node(Graph& graph, NodeId old, std::string_view op, std::vector<ValueId> inputs,
                    Attributes attributes = {}, const std::vector<NodeId>& replaced = {});
/// Every use of the only used output of `node` becomes `value`, and the node disappears. False, and nothing changes,
/// where that would lose the name of a graph output.
bool bypass_node(Graph& graph, NodeId node, ValueId value);
/// Removes `node` if nothing uses its outputs, and then what only it used.
void remove_if_dead(Graph& graph, NodeId node);
/// Sets one input, and removes what only the old input needed.
void change_input(Graph& graph, NodeId node, int index, ValueId value);
/// A node with one fresh output of the given type and shape, named after `hint`.
ValueId add_typed_node(Graph& graph, std::string_view op, std::string_view hint, std::vector<ValueId> inputs,
                       Attributes attributes, DataType type, std::optional<SymbolicShape> shape);
/// Names a node stands for: its sources, or its own name.
std::vector<std::string> sources_of(const Node& node);

}  // namespace fovea::passes
