// SPDX-License-Identifier: Apache-2.0
// MatMul and Gemm on floats become fovea::matmul and take transposes and scalar factors of their operands, the bias, a
// factor per column (into constant weights), the residual and the activation.
//
//   k = Transpose(b, last two); m = MatMul(a, k); s = Mul(m, 0.125)        =>        s = fovea::matmul(a, b) {transB=1,
//   scale=0.125} m = MatMul(x, w); s = Add(m, b); y = Relu(s)                           =>        y = fovea::matmul(x,
//   w, b) {activation="relu"}
//
// Must not fire on integer products, take a bias that broadcasts the product to a larger shape, or a Gemm whose beta
// scales a bias that is not a constant.
#pragma once

#include "ir/graph.h"

namespace fovea::passes {

Result<bool> fuse_matmul(ir::Graph& graph);

}  // namespace fovea::passes
