// SPDX-License-Identifier: Apache-2.0
// fovea::matmul: how its shapes fit together, for the reference and the kernels.
#pragma once

#include "base/attributes.h"
#include "ops/fused/broadcast.h"

namespace fovea::ops {

/// Y [batch..., m, n] = A [batch..., m, k] B [batch..., k, n] with A and B as stored or with their last two axes
/// swapped. Operands of rank 1 stand for one row (A) or one column (B), which is then dropped from Y, as in ONNX.
struct MatMulShapes {
  std::int64_t m = 1, k = 1, n = 1;
  bool a_swapped = false, b_swapped = false;
  Shape batch;                ///< broadcast of both operands' leading axes
  Shape a_batch, b_batch;     ///< leading axes as stored
  Shape output;

  static Result<MatMulShapes> resolve(const Attributes& attributes, const Shape& a, const Shape& b) {
    if (a.rank() < 1 || b.rank() < 1) return invalid_argument("matmul: operands must have rank >= 1");
    MatMulShapes s;
    s.a_swapped = attributes.get_int("transA", 0) != 0 && a.rank() >= 2;
    s.b_swapped = attributes.get_int("transB", 0) != 0 && b.rank() >= 2;
    const auto extent = [](const Shape& shape, int from_end) { return shape.rank() >= from_end ? shape[shape.rank() - from_end] : 1; };
    s.m = a.rank() == 1 ? 1 : extent(a, s.a_swapped ? 1 : 2);
    s.k = a.rank() == 1 ? a[0] : extent(a, s.a_swapped ? 2 : 1);
    const std::int64_t kb = b.rank() == 1 ? b[0] : extent(b, s.b_swapped ? 1 : 2);
    s.n = b.rank() == 1 ? 1 : extent(b, s.b_swapped ? 2 : 1);
    if (s.k != kb) return invalid_argument("matmul: ", a.to_string(), " and ", b.to_string(), " do not agree on the inner extent");
    for (int i = 0; i + 2 < a.rank(); ++i) s.a_batch.push_back(a[i]);
    for (int i = 0; i + 2 < b.rank(); ++i) s.b_batch.push_back(b[i]);
    FOVEA_ASSIGN(s.batch, broadcast(s.a_batch, s.b_batch));
    s.output = s.batch;
    if (a.rank() > 1) s.output.push_back(s.m);
    if (b.rank() > 1) s.output.push_back(s.n);
    return s;
  }

  /// Number of the matrix of an operand that belongs to batch entry `index` (both row-major).
  std::int64_t operand_index(const Shape& operand_batch, std::int64_t index) const {
    std::int64_t result = 0, stride = 1;
    for (int axis = batch.rank() - 1; axis >= 0; --axis) {
      const std::int64_t at = index % batch[axis];
      index /= batch[axis];
      const int own = axis - (batch.rank() - operand_batch.rank());
      if (own < 0) continue;
      result += (operand_batch[own] == 1 ? 0 : at) * stride;
      stride *= operand_batch[own];
    }
    return result;
  }
};

}  // namespace fovea::ops
