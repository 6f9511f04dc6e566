// SPDX-License-Identifier: Apache-2.0
// Reference kernels that compute in f64 whatever the storage type: widen the inputs, compute, store once.
#pragma once

#include "ops/elementwise/element_cast.h"
#include "ops/kernel_context.h"

namespace fovea::ops {

/// Input `i` as f64; exact for every real type.
inline Result<Tensor> widen(const KernelContext& context, int i) { return cast_tensor(context.input(i), DataType::f64, context.op()); }

/// Output `i` of type `type` from f64 values, rounded once.
inline Status store(KernelContext& context, int i, DataType type, const Tensor& wide) {
  FOVEA_ASSIGN(Tensor output, context.output(i, type, wide.shape()));
  return cast_elements(wide, output, context.op());
}

/// `axis` in 0..rank-1 and the extents before, along and behind it.
struct AxisSplit {
  std::int64_t outer = 1, extent = 1, inner = 1;
};
inline Result<AxisSplit> split_at(std::string_view op, const Shape& shape, std::int64_t axis) {
  const int rank = shape.rank();
  if (axis < -rank || axis >= rank) return invalid_argument(op, ": axis ", axis, " is out of range for rank ", rank);
  if (axis < 0) axis += rank;
  AxisSplit split;
  for (int i = 0; i < rank; ++i) (i < axis ? split.outer : i == axis ? split.extent : split.inner) *= shape[i];
  return split;
}

}  // namespace fovea::ops
