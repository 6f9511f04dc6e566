// SPDX-License-Identifier: Apache-2.0
#include "ops/rows.h"

#include <algorithm>

#include "ops/axis.h"
#include "ops/schema.h"

namespace fovea::ops {

namespace {

/// Rows end before the first axis that the operator normalises over.
int before(const Attributes& attributes, int rank) {
  const auto axis = normalize_axis(attributes.get_int("axis", -1), rank);
  return axis.ok() ? *axis - 1 : -1;
}

}  // namespace

int last_row_axis(std::string_view op, const Attributes& attributes, int rank) {
  if (op == "MatMul") return rank - 2;
  if (op == "Softmax" || op == "LogSoftmax" || op == "LayerNormalization") return before(attributes, rank);
  const OperatorSchema* schema = find_schema(op);
  return schema && (schema->traits & kElementwise) ? rank - 2 : -1;
}

int last_cut_axis(std::string_view op, int input, int rank, int axis) {
  if (op == "MatMul" && input == 1) return std::min(axis, rank - 3);  // all rows of the second factor, of one matrix
  if (op == "CastLike" && input == 1) return -1;                      // only its type matters
  return axis;
}

}  // namespace fovea::ops
