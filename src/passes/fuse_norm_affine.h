// SPDX-License-Identifier: Apache-2.0
// Takes the factor and the summand behind a LayerNormalization, RMSNormalization, InstanceNormalization or
// GroupNormalization into its scale and bias.
//
//   n = LayerNormalization(x, ones); s = Mul(n, g); y = Add(s, b)        =>        y = LayerNormalization(x, g, b)
//
// Must not fire where the normalised value is used elsewhere, or on constants that are not one number per normalised
// element (per channel for InstanceNormalization and GroupNormalization).
#pragma once

#include "ir/graph.h"

namespace fovea::passes {

Result<bool> fuse_norm_affine(ir::Graph& graph);

}  // namespace fovea::passes
