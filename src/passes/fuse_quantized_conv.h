// SPDX-License-Identifier: Apache-2.0
// A convolution between DequantizeLinear and QuantizeLinear becomes QLinearConv: 8-bit products, exact 32-bit sums, one
// rounding. The same for Gemm with a constant matrix, as a 1x1 convolution.
//
//   c = Conv(DQ(x, sx, zx), DQ(w, sw, 0), DQ(b, sx*sw, 0)); r = Relu(c); y = Q(r, sy, zy)
//     =>  y = QLinearConv(x, sx, zx, w, sw, 0, sy, zy, b)
//
// Exact but for values on a rounding boundary, where sums in f32 may fall either way. Must run before the weights'
// DequantizeLinear is folded. Must not fire when an intermediate value has other users, scales or zero points are not
// constant scalars (w: per output channel), w is not i8 with zero points 0, the bias is not i32 on the grid sx*sw, or a
// Relu in between is not implied by saturation (zy is the smallest value of its type).
#pragma once

#include "ir/graph.h"

namespace fovea::passes {

Result<bool> fuse_quantized_conv(ir::Graph& graph);

}  // namespace fovea::passes
