// SPDX-License-Identifier: Apache-2.0
// A node that multiplies and shifts per channel by constants, read as numbers.
#pragma once

#include <optional>
#include <vector>

#include "passes/match.h"

namespace fovea::passes {

/// y = x * factor[c] + summand[c], where c runs over axis 1 of x.
struct ChannelAffine {
  ValueId x = kNone;
  std::vector<double> factor, summand;
};

/// A constant that broadcasts to [N, channels, ...] of `rank` along axis 1 only, one number per channel.
std::optional<std::vector<double>> per_channel(const Graph& graph, ValueId constant, int rank, std::int64_t channels);
/// Inference BatchNormalization, or Mul, Add, Sub with such a constant, of a value with `channels` channels.
std::optional<ChannelAffine> channel_affine(const Graph& graph, NodeId node, std::int64_t channels);

}  // namespace fovea::passes
