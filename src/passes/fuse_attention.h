// SPDX-License-Identifier: Apache-2.0
// Scaled dot product attention over four axes [batch, heads, rows, width] becomes one Attention:
//
//   t = MatMul(q * s, Transpose(k)); p = Softmax(t + mask, -1); y = MatMul(p, v)
//                                        =>        y = Attention(q, k, v, mask) {scale=s}
//
// with the factor on q, on k or on the product, as Mul or Div. Must not fire where the scores are used elsewhere, where
// the softmax is not over the last axis, where batches, heads or columns of the mask broadcast, or where no device has
// a tuned kernel for Attention (three separate kernels are then faster).
#pragma once

#include "ir/graph.h"

namespace fovea::passes {

Result<bool> fuse_attention(ir::Graph& graph);

}  // namespace fovea::passes
