// SPDX-License-Identifier: Apache-2.0
// A linear layer on the rows of a picture, laid out as a picture again: how transformers write a 1x1 convolution.
//
//   m = MatMul(x, w); s = Add(m, b); r = Reshape(s, [N,H,W,C]); y = Transpose(r) {perm=[0,3,1,2]}
//
// The same as a convolution, which keeps its result channels-last where the transpose would have cost a copy:
//
//   r = Reshape(x, [N,H,W,K]); t = Transpose(r) {perm=[0,3,1,2]}; y = Conv(t, w', b)
#pragma once

#include <optional>

#include "passes/match.h"

namespace fovea::passes {

struct RowsProduct {
  NodeId matmul = kNone, add = kNone, reshape = kNone, transpose = kNone;  ///< add: or none
  ValueId weights = kNone, bias = kNone;                                   ///< constants [k, C] and [C] (or none)
};

/// The layer that ends in `y`, if no value on the way is used elsewhere.
std::optional<RowsProduct> rows_product_of(const Graph& graph, ValueId y);
/// Puts the convolution in its place, with these weights [out, K, 1, 1] and this bias (or none). The same value is its
/// output.
NodeId replace_by_convolution(Graph& graph, const RowsProduct& product, ValueId weights, ValueId bias);

}  // namespace fovea::passes
