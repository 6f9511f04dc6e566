// SPDX-License-Identifier: Apache-2.0
// Reshapes, transposes and slices that together only pick or reorder whole channels become one Gather along axis 1 (a
// Slice where the channels are a run): the shuffles of ShuffleNet and its relatives in all their spellings.
//
//   a = Reshape(x, [1,2,58,52,52]); b = Transpose(a) {perm=[0,2,1,3,4]}; c = Reshape(b, [1,116,52,52]); y = Slice(c,
//   58:)
//                                  =>        y = Gather(x, [29, 87, 30, 88 ...]) {axis=1}
//
// What a chain does is found by running it on numbered elements; symbols are tried with two sets of extents. Must not
// fire on chains that move anything but whole channels, without a Transpose, or with operands that are not constants.
#pragma once

#include "ir/graph.h"

namespace fovea::passes {

Result<bool> fuse_channel_shuffle(ir::Graph& graph);

}  // namespace fovea::passes
