// SPDX-License-Identifier: Apache-2.0
// A channel map: what a 1x1 convolution computes, y[n, o, p] = sum over c of w[o, c] * x[n, c, p] + b[o], the same at
// every pixel p. Two maps in a row are one, and a map of concatenated channels is a sum of maps.
#pragma once

#include <optional>
#include <vector>

#include "passes/match.h"

namespace fovea::passes {

struct ChannelMap {
  ValueId weights = kNone;  ///< constant [out, in, 1, ...]
  ValueId bias = kNone;     ///< constant [out], or none
  std::int64_t in = 0, out = 0;

  ChannelMap without_bias() const { return {weights, kNone, in, out}; }
};

/// Neighbouring channels.
struct ChannelRun {
  std::int64_t first = 0, count = 0;
};

/// The map that a node computes: a Conv in f32 or f64 with constants, of one group, without taps beside the pixel,
/// steps or padding. Nothing for any other node.
std::optional<ChannelMap> channel_map_of(const Graph& graph, NodeId node);
/// Constants (bias: or none) of a layer in front of a map whose products with the map's are far from overflow.
bool can_be_composed(const Graph& graph, ValueId weights, ValueId bias);

/// The map restricted to some of the channels it reads, in this order; the bias stays whole.
ChannelMap restricted(Graph& graph, const ChannelMap& map, const std::vector<ChannelRun>& runs);
/// Weights of the one convolution that computes a convolution with weights `inner` [in, ...] and then the map.
ValueId composed_with_convolution(Graph& graph, const ChannelMap& map, ValueId inner);
/// Weights [out, k, 1, 1] of the one convolution that computes a product of rows with `inner` [k, in] and then the map.
ValueId composed_with_product(Graph& graph, const ChannelMap& map, ValueId inner);
/// The bias of either; `inner` may be none, and so is the result if both are.
ValueId composed_bias(Graph& graph, const ChannelMap& map, ValueId inner);

}  // namespace fovea::passes
