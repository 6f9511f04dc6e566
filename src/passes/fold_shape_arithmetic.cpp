// SPDX-License-Identifier: Apache-2.0
#include "passes/fold_shape_arithmetic.h"

#include "base/check.h"
#include "passes/infer_shapes.h"

namespace fovea::passes {

Result<bool> fold_shape_arithmetic(ir::Graph& graph) {
  FOVEA_ASSIGN(const int folded, fold_propagated_values(graph));
  return folded > 0;
}

}  // namespace fovea::passes
