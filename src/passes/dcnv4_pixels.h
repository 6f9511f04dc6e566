// SPDX-License-Identifier: Apache-2.0
// What the passes share that give DCNv4 one tensor [value | offset] instead of two.
#pragma once

#include <optional>
#include <vector>

#include "ops/deform/dcnv4.h"
#include "passes/match.h"

namespace fovea::passes {

/// Parameters of a DCNv4_Plugin whose output has the size of its input, so that offsets may stand beside the value.
std::optional<ops::Dcnv4Params> size_keeping_dcnv4(const Graph& graph, NodeId node);

/// A value [n, h, w, channels] as rows of pixels [..., channels], past the Reshape that only split them into images.
struct PixelRows {
  ValueId rows = kNone;
  NodeId reshape = kNone;  ///< kNone where `rows` is the value itself
  std::int64_t channels = 0;
};
/// Nothing unless the number of channels is known.
std::optional<PixelRows> pixel_rows(const Graph& graph, ValueId value);

/// `both` (rows with the channels of value and offset) takes the place of the node's inputs, reshaped as `like` did.
void read_both_from(Graph& graph, NodeId dcnv4, ValueId both, NodeId like, const std::vector<NodeId>& replaced);

}  // namespace fovea::passes
