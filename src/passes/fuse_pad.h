// SPDX-License-Identifier: Apache-2.0
// A constant Pad with zeros in front of a convolution becomes the convolution's own padding; the same for AveragePool,
// which then counts the padding.
//
//   p = Pad(x, [0,0,1,1, 0,0,2,2]); y = Conv(p, w)        =>        y = Conv(x, w) {pads=[1,1,2,2]}
//
// Must not fire on other modes and values, on negative pads (crops), on padded batch or channels, with auto_pad, or on
// an AveragePool that already pads or rounds up.
#pragma once

#include "ir/graph.h"

namespace fovea::passes {

Result<bool> fuse_pad(ir::Graph& graph);

}  // namespace fovea::passes
