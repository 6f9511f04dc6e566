// SPDX-License-Identifier: Apache-2.0
// The user's shape ranges applied to a graph, and the typical input shapes that tuning and verification use.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "engine/plan.h"
#include "fovea/build.h"
#include "ir/graph.h"

namespace fovea::compiler {

struct InputShapes {
  std::map<std::string, SymbolRange> symbols;  ///< of extents that stay free
  Bindings bindings;                           ///< typical extent of every symbol
  std::vector<Shape> typical;                  ///< per graph input; rank 0 where the rank is unknown
};

/// Extents whose min and max agree become constants everywhere in the graph. InvalidArgument names an unknown
/// input, a fixed extent that differs, or min <= opt <= max violated.
Result<InputShapes> apply_shape_ranges(ir::Graph& graph, const std::map<std::string, ShapeRange>& ranges);

}  // namespace fovea::compiler
