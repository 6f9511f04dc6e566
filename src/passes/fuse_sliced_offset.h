// SPDX-License-Identifier: Apache-2.0
// DCNv4's value and offset are cut out of one tensor (TensorRT and some exporters merge the two projections): DCNv4 reads
// them where they are.
//
//   v, o = Split(b) {axis=-1}; y = custom_op::DCNv4_Plugin(v, o)           =>        y = custom_op::DCNv4FuseOffset_Plugin(b)
//   v = Reshape(Slice(b, 0:c)); o = Reshape(Slice(b, c:)); y = DCNv4_Plugin(v, o)
//                                                          =>        y = DCNv4FuseOffset_Plugin(Reshape(b))
//
// Must not fire where the offsets do not begin right behind the value, the value does not begin the pixel, a Slice has
// steps, or the output's size is not the input's.
#pragma once

#include "ir/graph.h"

namespace fovea::passes {

Result<bool> fuse_sliced_offset(ir::Graph& graph);

}  // namespace fovea::passes
