// SPDX-License-Identifier: Apache-2.0
// Denormal numbers (|w| < 2^-126) in weights of convolutions, products and PRelu become zero.
//
//   const w = [0.25, 1e-40]; y = PRelu(x, w)        =>        const w = [0.25, 0]; y = PRelu(x, w)
//
// Weights that decayed in training are full of them, and each product with one costs an Intel processor more than a
// hundred cycles. A sum of n such products moves by at most n 2^-126 max|x|. To keep that below rounding beside the other
// terms, must not fire on weights whose largest number is below 2^-100, nor on constants that anything else reads: a variance
// of BatchNormalization, say, may be divided by.
#pragma once

#include "ir/graph.h"

namespace fovea::passes {

Result<bool> flush_denormals(ir::Graph& graph);

}  // namespace fovea::passes
