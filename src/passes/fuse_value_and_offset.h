// SPDX-License-Identifier: Apache-2.0
// The projections to DCNv4's value and offset are two products of one input: they become one product, and DCNv4 reads
// both from its result, which need not be sliced.
//
//   v = Reshape(Add(MatMul(x, wv), bv), [n, h, w, c])
//   o = Reshape(Add(MatMul(x, wo), bo), [n, h, w, p])
//   y = custom_op::DCNv4_Plugin(v, o)
//            =>  b = Reshape(Add(MatMul(x, [wv, wo]), [bv, bo]), [n, h, w, c + p]); y = custom_op::DCNv4FuseOffset_Plugin(b)
//
// Gemm is as good as MatMul, biases may be missing, and x may have rank 4 already. Columns of zeros make c + p a multiple of
// 8 where it is none (offsets may or may not be padded so): vectors of pixels are then aligned on devices that want it.
//
// Not in the list of the CPU: there two products cost as much as one, and DCNv4 reads its offsets equally fast from either
// place (measured on blocks of FlashInternImage-T, batch 1 and 8: no difference beyond the spread). It is for devices
// that merge the products themselves and then pay for slices, and for `fovea fuse --value-offset`.
//
// Must not fire where value or offset is used elsewhere, weights or biases are no constants, the inputs of the products
// differ (a convolution in front of the offsets), or the output's size is not the input's.
#pragma once

#include "ir/graph.h"

namespace fovea::passes {

Result<bool> fuse_value_and_offset(ir::Graph& graph);

}  // namespace fovea::passes
