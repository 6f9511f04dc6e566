// SPDX-License-Identifier: Apache-2.0
// Where a channel map behind a value is best computed: at the value, or further up, behind which nothing but averages
// of pixels, sums, concatenations and linear layers follow. Decided by counting work.
//
// Work is counted in multiply-adds, and an element that is read or written counts as 32 of them: on two cores a 1x1
// convolution of 256 channels does 77 in the time that a sum moves 2.5 elements (docs/notes/linear_heads.md).
// Extents that are symbols count where their ratio is sure: equal ones, and whole multiples.
#pragma once

#include <vector>

#include "passes/match.h"

namespace fovea::passes {

struct MapBranch {
  enum class Kind : std::uint8_t {
    Stay,         ///< the map reads the value
    Resize,       ///< the map goes in front of the Resize that makes it
    Sum,          ///< ... of both operands of the Add
    Concat,       ///< ... of those parts of the concatenation that gain by it; one map for the others
    Convolution,  ///< the convolution that makes the value computes the map too
    Product,      ///< the same for a product on rows
  };
  Kind kind = Kind::Stay;
  ValueId value = kNone;
  std::vector<MapBranch> parts = {};  ///< of the operands, in their order
  double existing = 0;                ///< work of the layers in front of the value that could take part
  double with_map = 0;                ///< their work and the map's, with the map where it is best
  double weights = 0;                 ///< elements of all weights then
  double replaced_weights = 0;        ///< of layers that a map was composed with, before
};

/// For the map of `channels` to `out` that reads `value` and whose result only `follower` reads (or kNone).
MapBranch plan_channel_map(const Graph& graph, ValueId value, std::int64_t channels, std::int64_t out, NodeId follower);

}  // namespace fovea::passes
