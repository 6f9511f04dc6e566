// SPDX-License-Identifier: Apache-2.0
// A Gather along the channels in front of convolutions may pick its channels in any order if the weights follow. It
// then picks them in ascending order: a full permutation disappears, and what is left copies long runs.
//
//   g = Gather(x, [0, 2, 1, 3]) {axis=1}; y = Conv(g, w)        =>        y = Conv(x, w with columns 1 and 2 swapped)
//
// The new order is followed through Concat, depthwise convolutions, activations, pools and further Gathers to
// every reader. Must not fire where one of them needs the old order: a graph output, an operator that is not listed, or
// weights that are not constants.
#pragma once

#include "ir/graph.h"

namespace fovea::passes {

Result<bool> sort_channels(ir::Graph& graph);

}  // namespace fovea::passes
