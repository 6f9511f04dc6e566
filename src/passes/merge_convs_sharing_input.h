// SPDX-License-Identifier: Apache-2.0
// Small convolutions that read the same value in the same way become one convolution and a Split: the input is read
// once and the kernel has more channels to work on.
//
//   a = fovea::conv(x, wa, ba); b = fovea::conv(x, wb, bb)
//                        =>        m = fovea::conv(x, [wa, wb], [ba, bb]); a, b = Split(m) {axis=1}
//
// Must not fire on groups, residuals, weights or biases that are not constants, different attributes or filter sizes,
// convolutions of more than 64 channels (they fill the machine alone), or where a result goes into a Concat (it is
// written there in place, which a part of a Split cannot be).
#pragma once

#include "ir/graph.h"

namespace fovea::passes {

Result<bool> merge_convs_sharing_input(ir::Graph& graph);

}  // namespace fovea::passes
