// SPDX-License-Identifier: Apache-2.0
// Moves a 1x1 convolution up to where it has less to do: in front of Resizes, to each operand of a sum, to each part of
// a concatenation, and into the convolution or product that made its input.
//
//   r = Resize(x); y = Conv(r, w, b)              =>    c = Conv(x, w, b); y = Resize(c)
//   s = Add(p, q); y = Conv(s, w, b)              =>    c = Conv(p, w, b); d = Conv(q, w); y = Add(c, d)
//   k = Concat(p, q) {axis=1}; y = Conv(k, w, b)  =>    c = Conv(p, w[:, :P], b); d = Conv(q, w[:, P:]); y = Add(c, d)
//   c = Conv(x, v, a); y = Conv(c, w, b)          =>    y = Conv(x, w * v, w * a + b)
//
// A step is taken only as part of a whole that is less work (passes/channel_map_plan.h says how it is counted) and has
// no more than four times the weights. Weights are multiplied in f64 and rounded once.
//
// Must not fire on groups, strides, padding or weights that are not constants, over a value that has another user or is
// a graph output, over a Resize that touches channels or takes a constant from outside the picture
// (passes/spatial_resize.h), or on a convolution whose result is quantised.
#pragma once

#include "ir/graph.h"

namespace fovea::passes {

Result<bool> hoist_channel_maps(ir::Graph& graph);

}  // namespace fovea::passes
