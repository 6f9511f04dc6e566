// SPDX-License-Identifier: Apache-2.0
// The way back from fuse_layer_norm, for engines that know normalisation over the last axis as a plugin:
//   y = LayerNormalization(x, g, b) {axis=-1}   =>   n = LayerNorm(x) {epsilon}; s = Mul(n, g); y = Add(s, b)
// The two plugins of that name compute only some shapes rightly and say nothing about the others; what a plugin does not
// compute is left as it is, with the reason. Not in the pass list: the result is for export, not for the compiler.
#pragma once

#include <string>
#include <vector>

#include "ir/graph.h"

namespace fovea::passes {

enum class LayerNormPlugin : std::uint8_t {
  V1,  ///< rank 3, 256 columns, f32
  V2,  ///< 256 columns, f32, epsilon 1e-5 whatever the attribute says
};

struct LoweredNorms {
  int lowered = 0;
  std::vector<std::string> left;  ///< "node 'ln' stays: 255 columns, the plugin computes 256"
};

LoweredNorms lower_layer_norm(ir::Graph& graph, LayerNormPlugin plugin);

}  // namespace fovea::passes
