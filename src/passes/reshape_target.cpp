// SPDX-License-Identifier: Apache-2.0
#include "passes/reshape_target.h"

namespace fovea::passes {

std::optional<std::vector<std::int64_t>> reshape_target(const Graph& graph, ValueId x, ValueId wanted) {
  const SymbolicShape* to = shape_of(graph, wanted);
  return to ? reshape_target(shape_of(graph, x), *to) : std::nullopt;
}

std::optional<std::vector<std::int64_t>> reshape_target(const SymbolicShape* from, const SymbolicShape& to) {
  std::vector<std::int64_t> target;
  bool inferred = false;
  for (std::size_t i = 0; i < to.size(); ++i) {
    const Dim& dim = to[i];
    if (dim.is_constant()) {
      // 0 would copy the input's extent; a -1 beside it would divide by it.
      if (dim.constant() == 0) return std::nullopt;
      target.push_back(dim.constant());
    } else if (from && i < from->size() && (*from)[i] == dim) {
      target.push_back(0);
    } else if (!inferred) {
      target.push_back(-1);
      inferred = true;
    } else {
      return std::nullopt;
    }
  }
  return target;
}

}  // namespace fovea::passes
