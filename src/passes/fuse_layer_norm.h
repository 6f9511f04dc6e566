// SPDX-License-Identifier: Apache-2.0
// Every exported spelling of a normalisation over the last axes, or over the picture, becomes one operator:
//   m = ReduceMean(x, axes); d = Sub(x, m); v = ReduceMean(d^2, axes); y = d / Sqrt(v + eps)
//     axes = the last k          => LayerNormalization(x, ones) {axis=-k}
//     axes = all of H, W ...     => InstanceNormalization(x, ones, zeros)
//   y = x / Sqrt(ReduceMean(x^2, axes) + eps)     => RMSNormalization(x, ones) {axis=-k}
// with Pow or Mul for the square, Div, Reciprocal or Pow(-0.5) for the root, Casts to f32 and back wherever exporters of
// half networks put them, the factor and summand behind it taken in (fuse_norm_affine), and TensorFlow's
// x * r + (b - m * r). Where an extent that is normalised over is not a number, the scale is one number for all.
// Must not fire where an inner result is used elsewhere, where the axes are others, where the two means have other axes,
// or where all of it is done in a narrow type.
#pragma once

#include "ir/graph.h"

namespace fovea::passes {

Result<bool> fuse_layer_norm(ir::Graph& graph);

}  // namespace fovea::passes
