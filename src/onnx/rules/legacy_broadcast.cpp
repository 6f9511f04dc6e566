// SPDX-License-Identifier: Apache-2.0
// Opset 1-6: two-operand operators broadcast only when asked, and `axis` says where B starts in A's axes:
// A [N,C,H,W] + B [C] with axis = 1 is today's A + B [C,1,1].
#include "onnx/upgrade.h"

namespace fovea::onnx::rules {

Status legacy_broadcast(Upgrade& u) {
  const bool broadcast = u.take_int("broadcast").value_or(0) != 0;
  const auto axis = u.take_int("axis");
  if (!broadcast || !axis) return {};
  const auto a = u.rank(0), b = u.rank(1);
  if (!a || !b) return unsupported("broadcast with `axis` ", *axis, " needs both ranks, which are not known here");
  const std::int64_t start = *axis < 0 ? *axis + *a : *axis;
  if (start < 0 || start + *b > *a) return invalid_model("axis ", *axis, " does not fit operands of rank ", *a, " and ", *b);
  return u.add_trailing_axes(1, static_cast<int>(*a - start - *b));
}

// A slope per channel had no trailing axes then.
Status prelu_slope(Upgrade& u) {
  const SymbolicShape* slope = u.shape(1);
  const auto x = u.rank(0);
  if (!slope || slope->size() != 1 || slope->front() == Dim(1) || (x && *x <= 2)) return {};
  if (!x) return unsupported("a slope per channel needs the rank of the input, which is not known here");
  return u.add_trailing_axes(1, *x - 2);
}

// C of Gemm broadcasts by itself now.
Status drop_broadcast(Upgrade& u) {
  u.take_int("broadcast");
  return {};
}

}  // namespace fovea::onnx::rules
