// SPDX-License-Identifier: Apache-2.0
// Non-maximum suppression, RoiAlign and corner pooling of mmcv, mmdeploy and torchvision. The forms of mmcv's are those
// of our own operators; only names and domains vary.
#include "onnx/alias.h"

namespace fovea::onnx::aliases {

namespace {

using ops::AttributeType;

// torchvision::nms(boxes, scores, iou_threshold): the threshold is an attribute, or a constant third input.
Status translate_torchvision_nms(Upgrade& u) {
  if (u.has(2)) {
    const Tensor* threshold = u.constant(2);
    if (!threshold || threshold->elements() != 1 ||
        (threshold->type() != DataType::f32 && threshold->type() != DataType::f64)) {
      return unsupported("nms: iou_threshold (input 2) must be one constant number");
    }
    u.node.attributes.set("iou_threshold", threshold->type() == DataType::f32
                                               ? static_cast<double>(*threshold->data<float>())
                                               : *threshold->data<double>());
    u.node.inputs.resize(2);
  } else if (!u.node.attributes.has("iou_threshold")) {
    return invalid_model("nms: iou_threshold is missing, as an attribute and as input 2");
  }
  return {};
}

Status translate_torchvision_roi_align(Upgrade& u) {
  rename_attribute(u.node, "pooled_height", "output_height");
  rename_attribute(u.node, "pooled_width", "output_width");
  u.node.attributes.set("mode", std::string("avg"));
  if (!u.node.attributes.has("aligned")) u.node.attributes.set("aligned", std::int64_t{0});
  return {};
}

}  // namespace

Alias mmcv_corner_pool() { return same_form("MMCVCornerPool", "mmcv::MMCVCornerPool"); }
Alias mmcv_nms() { return same_form("NonMaxSuppression", "mmcv::NonMaxSuppression", {"mmcv", "mmdeploy", "TRT"}); }
Alias mmcv_nms_rotated() { return same_form("NMSRotated", "mmdeploy::NMSRotated"); }
Alias mmcv_roi_align() { return same_form("MMCVRoiAlign", "mmcv::MMCVRoiAlign"); }
Alias mmcv_roi_align_rotated() { return same_form("MMCVRoIAlignRotated", "mmcv::MMCVRoIAlignRotated"); }
Alias mmcv_roi_align_rotated_small() { return same_form("MMCVRoiAlignRotated", "mmcv::MMCVRoIAlignRotated"); }
Alias mmcv_multi_level_roi_align() { return same_form("MMCVMultiLevelRoiAlign", "mmdeploy::MMCVMultiLevelRoiAlign"); }

Alias mmcv_multi_level_rotated_roi_align() {
  return same_form("MMCVMultiLevelRotatedRoiAlign", "mmdeploy::MMCVMultiLevelRotatedRoiAlign");
}
Alias mmcv_rotated_feature_align() { return same_form("MMCVRotatedFeatureAlign", "mmcv::MMCVRotatedFeatureAlign"); }
Alias mmcv_soft_nms() { return same_form("SoftNonMaxSuppression", "mmcv::SoftNonMaxSuppression"); }

Alias torchvision_nms() {
  return {.form = {.name = "nms",
                   .min_inputs = 2,
                   .max_inputs = 3,
                   .types = ops::types(DataType::f32),
                   .attributes = {{.name = "iou_threshold",
                                   .type = AttributeType::Float,
                                   .default_text = "none; or input 2"}}},
          .domains = {"torchvision"},
          .op = "mmcv::NonMaxSuppression",
          .translate = translate_torchvision_nms};
}

Alias torchvision_roi_align() {
  return {
      .form = {.name = "roi_align",
               .min_inputs = 2,
               .max_inputs = 2,
               .types = ops::kFloatTypes,
               .attributes = {{.name = "spatial_scale", .type = AttributeType::Float, .required = true},
                              {.name = "pooled_height", .required = true},
                              {.name = "pooled_width", .required = true},
                              {.name = "sampling_ratio", .default_text = "0: as many samples as a cell has elements"},
                              {.name = "aligned", .default_text = "0"}}},
      .domains = {"torchvision"},
      .op = "mmcv::MMCVRoiAlign",
      .translate = translate_torchvision_roi_align,
      .renamed = {{"output_height", {"pooled_height"}}, {"output_width", {"pooled_width"}}}};
}

}  // namespace fovea::onnx::aliases
