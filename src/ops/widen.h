// SPDX-License-Identifier: Apache-2.0
// Computing narrow types through wide ones: reference kernels with two instantiations (float and double) read
// f16, bf16 and 8/16-bit integers as f32 copies, which hold them exactly, and round their results once at the end.
#pragma once

#include "ops/kernel_context.h"

namespace fovea::ops {

/// An f32 or f64 tensor itself, any other numeric type of at most 16 bits as an f32 copy.
Result<Tensor> widened(const Tensor& tensor);

/// An output that is computed in f32 or f64 and rounded into the real output's type by finish().
class WideOutput {
 public:
  static Result<WideOutput> create(KernelContext& context, int index, DataType type, const Shape& shape);

  template <class T> T* data() { return wide_.data<T>(); }
  DataType type() const { return wide_.type(); }
  /// Integers: rounds half to even and saturates.
  Status finish();

 private:
  Tensor wide_, output_;
};

}  // namespace fovea::ops
