// SPDX-License-Identifier: Apache-2.0
// Copies a tensor between any two layouts and strides. Plain and always right; tuned kernels beat it
// where it matters. It is also how reference kernels, which know only dense plain tensors, see others.
#pragma once

#include "base/check.h"
#include "base/tensor_desc.h"

namespace fovea {

/// `from` and `to` must agree in type (not string) and shape. Padding lanes of blocked layouts become zero.
Status copy_layout(const TensorDesc& from, const void* src, const TensorDesc& to, void* dst);

}  // namespace fovea
