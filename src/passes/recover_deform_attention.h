// SPDX-License-Identifier: Apache-2.0
// Multi-scale deformable attention, exported as its composition from GridSample, becomes the one operator again:
//
//   for each level l:  s_l = GridSample(value_l [N*M,D,H_l,W_l], 2 * loc_l - 1 [N*M,Q,P,2])     bilinear, zeros
//   y = ReduceSum(Concat(s_0, s_1 ...) * weights [N*M,1,Q,L*P])
//       =>   y = MMCVMultiScaleDeformableAttention(value, shapes, starts, loc, weights)
//
// Matched by data flow: what lies between the operands and value, loc and weights may be any chain of operators that move
// elements (views, transposes, splits, selected levels, in any order); what counts is which element arrives where
// (strided_view.h). The affine map of the locations may stand anywhere in its chain. Levels have constant extents; batch
// and queries may be symbolic. Where levels have unequal numbers of points, each counts as several levels with as many
// points as all have in common: 4 and 2 points become 2 + 2 and 2. Must not fire for another mode, padding or align_corners,
// where an inner result is used elsewhere, or where elements arrive in another order.
#pragma once

#include "ir/graph.h"

namespace fovea::passes {

Result<bool> recover_deform_attention(ir::Graph& graph);

}  // namespace fovea::passes
