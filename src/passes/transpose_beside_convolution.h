// SPDX-License-Identifier: Apache-2.0
// Between a picture [N, C, H, W] and rows [N, H*W, C] a reshape and a transpose stand in one of two orders. The order
// with the transpose on the side of the picture is kept, where it is between NCHW and NHWC and free in a channels-last
// layout:
//
//   a = Reshape(x, [N,C,H*W]); y = Transpose(a) {perm=[0,2,1]}     =>    a = Transpose(x) {perm=[0,2,3,1]}; y =
//   Reshape(a, [N,H*W,C]) a = Transpose(x) {perm=[0,2,1]}; y = Reshape(a, [N,C,H,W])     =>    a = Reshape(x,
//   [N,H,W,C]); y = Transpose(a) {perm=[0,3,1,2]}
//
// Must not fire where the value in between has another user, or where more than one extent of a new shape is unknown.
#pragma once

#include "ir/graph.h"

namespace fovea::passes {

Result<bool> transpose_beside_convolution(ir::Graph& graph);

}  // namespace fovea::passes
