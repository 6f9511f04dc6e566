// SPDX-License-Identifier: Apache-2.0
// The constant shape input that makes a Reshape produce a shape with symbols.
#pragma once

#include <optional>
#include <vector>

#include "passes/match.h"

namespace fovea::passes {

/// What Reshape(x, ?) needs to give the known shape of `wanted`: numbers, 0 where an extent equals x's at the same
/// place, and one -1. Nothing if that is not enough, or if x may be empty so that -1 has no meaning.
std::optional<std::vector<std::int64_t>> reshape_target(const Graph& graph, ValueId x, ValueId wanted);
/// The same for shapes; `from` is null while it is unknown.
std::optional<std::vector<std::int64_t>> reshape_target(const SymbolicShape* from, const SymbolicShape& to);

}  // namespace fovea::passes
