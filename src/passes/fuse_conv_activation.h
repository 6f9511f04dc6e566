// SPDX-License-Identifier: Apache-2.0
// Every Conv becomes fovea::conv and takes the residual addition and the activation behind it.
//
//   c = Conv(x, w, b); s = Add(c, r); y = Relu(s)        =>        y = fovea::conv(x, w, b, r) {activation="relu",
//   residual="before"}
//
// Must not take work over a value that has another user or is a graph output, an Add that broadcasts, or a Clip whose
// bounds are not constants.
#pragma once

#include "ir/graph.h"

namespace fovea::passes {

Result<bool> fuse_conv_activation(ir::Graph& graph);

}  // namespace fovea::passes
