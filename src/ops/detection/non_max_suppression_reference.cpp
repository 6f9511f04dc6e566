// SPDX-License-Identifier: Apache-2.0
// NonMaxSuppression in its three spellings, task by task.
#include "ops/detection/nms_operands.h"

namespace fovea::ops {

Status non_max_suppression_reference(KernelContext& context) {
  FOVEA_ASSIGN(const NmsOperands operands, nms_operands(context));
  KeptBoxes kept;
  for (std::int64_t i = 0; i < operands.tasks(); ++i) kept.push_back(keep_best_plain(operands.task(i)));
  return write_kept(context, operands, kept);
}

Status mmcv_non_max_suppression_reference(KernelContext& context) { return non_max_suppression_reference(context); }
Status nms_rotated_reference(KernelContext& context) { return non_max_suppression_reference(context); }

}  // namespace fovea::ops
