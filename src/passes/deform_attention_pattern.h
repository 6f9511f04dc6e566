// SPDX-License-Identifier: Apache-2.0
// Deformable attention composed from GridSample, as recover_deform_attention finds it.
#pragma once

#include <optional>
#include <vector>

#include "passes/match.h"

namespace fovea::passes {

/// factor * x + summand
struct Affine {
  double factor = 1, summand = 0;
};

/// What the operator needs: extents as in ops/deform/deform_attention.h, sources of its inputs.
struct AttentionPattern {
  NodeId sum = kNone;
  std::vector<NodeId> samples, nodes;  // the GridSamples, level by level; everything replaced
  ValueId weights_operand = kNone;
  Dim n, m, q;
  std::int64_t d = 0, rows = 0;
  ValueId value = kNone, locations = kNone, weights = kNone;  // the sources
  Affine grid;                                                // from locations to GridSample's coordinates
  std::vector<std::int64_t> heights, widths, starts, counts;  // per GridSample: its map, first row and points
  std::int64_t total = 0;                                     // points of all maps

  /// The operator has as many points on each level: maps with more of them count as several levels.
  std::int64_t points() const;
  std::int64_t levels() const { return total / points(); }
};

/// The pattern that ends in the ReduceSum `sum`. See recover_deform_attention.h.
std::optional<AttentionPattern> match_deform_attention(const Graph& graph, NodeId sum);

}  // namespace fovea::passes
