// SPDX-License-Identifier: Apache-2.0
// NonMaxSuppression as mmcv prepares it for TensorRT: ONNX's own domain, but two inputs and the thresholds as attributes.
#include "onnx/alias.h"

namespace fovea::onnx::rules {

Status mmcv_nms(Upgrade& u) {
  const bool prepared = u.node.attributes.has("iou_threshold") || u.node.attributes.has("score_threshold") ||
                        u.node.attributes.has("max_output_boxes_per_class") || u.node.attributes.has("offset");
  if (!prepared) return {};
  return translate_alias(*find_alias("mmcv::NonMaxSuppression"), u);
}

}  // namespace fovea::onnx::rules
