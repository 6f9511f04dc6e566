// SPDX-License-Identifier: Apache-2.0
// Folds what follows a convolution and is one factor and one summand per channel into its weights and bias:
// BatchNormalization, Mul and Add with constants. The same for ConvTranspose, DeformConv
// and Gemm.
//
//   c = Conv(x, w, b); y = BatchNormalization(c, scale, bias, mean, var)        =>        y = Conv(x, w', b')
//
// Must not fire where the convolution's result has another user or is a graph output, where weights, bias or the
// factors are not constants, or on BatchNormalization in training mode.
#pragma once

#include "ir/graph.h"

namespace fovea::passes {

Result<bool> fuse_conv_bn(ir::Graph& graph);

}  // namespace fovea::passes
