// SPDX-License-Identifier: Apache-2.0
// Exporters write GroupNormalization as an instance normalisation of groups seen as channels:
//   r = Reshape(x, [N, G, ...]); n = InstanceNormalization(r, scale, bias); y = Reshape(n, shape of x)
//     => y = GroupNormalization(x, scale, bias per channel) {num_groups=G}
// The same with a LayerNormalization over everything behind the groups, without scale and bias. fuse_norm_affine takes
// in the factor and the summand behind it.
// Must not fire where the reshaped or normalised tensor is used elsewhere, where the last shape is not that of x, or
// where the first keeps other than the samples or has groups that do not divide the channels.
#pragma once

#include "ir/graph.h"

namespace fovea::passes {

Result<bool> fuse_group_norm(ir::Graph& graph);

}  // namespace fovea::passes
