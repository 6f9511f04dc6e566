// SPDX-License-Identifier: Apache-2.0
// Layout assignment, the last pass: convolutions and what follows them work channels-last; fovea::reorder nodes
// stand where a value is needed in another layout than it is made in, at most one per value and layout.
#pragma once

#include <string_view>

#include "base/check.h"
#include "ir/graph.h"

namespace fovea::compiler {

/// Sets Value::layout and inserts reorders. Types and ranks must be inferred. Graph inputs, outputs, constants and
/// bodies of control flow stay plain. Does nothing for devices other than "cpu".
Status assign_layouts(ir::Graph& graph, std::string_view device);

}  // namespace fovea::compiler
