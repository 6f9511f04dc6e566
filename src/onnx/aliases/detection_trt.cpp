// SPDX-License-Identifier: Apache-2.0
// The non-maximum suppression plugins of TensorRT and mmdeploy: all become fovea::batched_nms, which tells the best
// detections of each image in outputs of fixed size. Limits of the plugins (4096 candidates and the like) do not apply.
#include "onnx/alias.h"

namespace fovea::onnx::aliases {

namespace {

using ops::AttributeSpec;
using ops::AttributeType;

/// Moves the output at `from` to `to`; -1: a new value that nobody asked for.
std::vector<ir::ValueId> arranged(const ir::Node& node, std::initializer_list<int> order) {
  std::vector<ir::ValueId> outputs;
  for (const int from : order)
    outputs.push_back(from >= 0 && from < static_cast<int>(node.outputs.size())
                          ? node.outputs[static_cast<std::size_t>(from)]
                          : ir::kNone);
  while (!outputs.empty() && outputs.back() == ir::kNone) outputs.pop_back();
  return outputs;
}

std::int64_t take_flag(Upgrade& u, std::string_view name, bool fallback) {
  return u.take_int(name).value_or(fallback) != 0;
}

// num_detections, detection_boxes, detection_scores, detection_classes
Status translate_efficient(Upgrade& u) {
  u.node.attributes.set("inclusive", std::int64_t{1});
  return {};
}

// selected_indices: rows (image, class, box)
Status translate_efficient_onnx(Upgrade& u) {
  const std::int64_t coding = u.take_int("center_point_box").value_or(0);
  if (coding != 0 && coding != 1) return invalid_model("center_point_box: expected 0 (corners) or 1 (centre and size), found ", coding);
  u.node.attributes.set("box_coding", coding);
  rename_attribute(u.node, "max_output_boxes_per_class", "max_output_boxes");
  u.node.outputs = arranged(u.node, {-1, -1, -1, -1, -1, 0});
  return translate_efficient(u);
}

// The counts of boxes and classes stand in the shapes.
Status translate_batched(Upgrade& u) {
  u.take_int("shareLocation");
  u.take_int("numClasses");
  u.take_int("scoreBits");
  u.take_int("caffeSemantics");
  const std::int64_t normalised = take_flag(u, "isNormalized", true);
  rename_attribute(u.node, "backgroundLabelId", "background_class");
  rename_attribute(u.node, "topK", "candidates");
  rename_attribute(u.node, "keepTopK", "max_output_boxes");
  rename_attribute(u.node, "scoreThreshold", "score_threshold");
  rename_attribute(u.node, "iouThreshold", "iou_threshold");
  u.node.attributes.set("clip", take_flag(u, "clipBoxes", true));
  u.node.attributes.erase("clipBoxes");
  u.node.attributes.set("offset", std::int64_t{normalised == 0});
  u.node.attributes.set("padding_class", std::int64_t{-1});
  // Classes are told as floats.
  if (u.node.outputs.size() > 3 && u.node.outputs[3] != ir::kNone) {
    const ir::ValueId classes = u.detach_output(3);
    u.add_after("CastLike", {u.node.outputs[3], u.node.inputs.front()}, classes);
  }
  return {};
}

// dets [N,K,5] = boxes with their scores behind, labels, index
Status translate_mmdeploy(Upgrade& u, bool rotated) {
  u.take_int("num_classes");
  u.take_int("return_index");
  const std::int64_t normalised = take_flag(u, "is_normalized", true), clip = take_flag(u, "clip_boxes", true);
  rename_attribute(u.node, "background_label_id", "background_class");
  rename_attribute(u.node, "topk", "candidates");
  rename_attribute(u.node, "keep_topk", "max_output_boxes");
  u.node.attributes.set("clip", clip);
  u.node.attributes.set("offset", std::int64_t{normalised == 0 && !rotated});
  u.node.attributes.set("padding_class", std::int64_t{-1});
  if (rotated) u.node.attributes.set("box_coding", std::int64_t{2});
  const ir::ValueId detections = u.node.outputs[0];
  u.node.outputs = arranged(u.node, {-1, -1, -1, 1, 2});
  if (detections == ir::kNone) return {};
  if (u.node.outputs.size() < 3) u.node.outputs.resize(3, ir::kNone);
  const ir::ValueId boxes = u.graph().add_value(str_cat(u.node.name, "/boxes")),
                    scores = u.graph().add_value(str_cat(u.node.name, "/scores"));
  const ir::ValueId column = u.graph().add_value(str_cat(u.node.name, "/score_column"));
  u.node.outputs[1] = boxes;
  u.node.outputs[2] = scores;
  u.add_after("Unsqueeze", {scores, u.ints("axes", {2})}, column);
  Attributes axis;
  axis.set("axis", std::int64_t{2});
  u.add_after("Concat", {boxes, column}, detections, std::move(axis));
  return {};
}
Status translate_mmdeploy_upright(Upgrade& u) { return translate_mmdeploy(u, false); }
Status translate_mmdeploy_rotated(Upgrade& u) { return translate_mmdeploy(u, true); }

std::vector<AttributeSpec> batched_attributes() {
  return {{.name = "shareLocation", .default_text = "as the boxes' shape says"},
          {.name = "backgroundLabelId", .default_text = "-1: none"},
          {.name = "numClasses", .default_text = "as the scores' shape says"},
          {.name = "topK", .default_text = "all"},
          {.name = "keepTopK", .required = true},
          {.name = "scoreThreshold", .type = AttributeType::Float, .default_text = "0"},
          {.name = "iouThreshold", .type = AttributeType::Float, .required = true},
          {.name = "isNormalized", .default_text = "1"},
          {.name = "clipBoxes", .default_text = "1"},
          {.name = "scoreBits", .default_text = "no effect on the result"},
          {.name = "caffeSemantics", .default_text = "no effect on the result"}};
}

Alias batched(std::string_view name) {
  return {.form = {.name = name,
                   .min_inputs = 2,
                   .max_inputs = 2,
                   .min_outputs = 4,
                   .max_outputs = 4,
                   .types = ops::types(DataType::f32, DataType::f16),
                   .attributes = batched_attributes()},
          .op = "fovea::batched_nms",
          .translate = translate_batched,
          .renamed = {{"background_class", {"backgroundLabelId"}},
                      {"candidates", {"topK"}},
                      {"max_output_boxes", {"keepTopK"}},
                      {"score_threshold", {"scoreThreshold"}},
                      {"iou_threshold", {"iouThreshold"}}}};
}

Alias mmdeploy_batched(std::string_view name, Status (*translate)(Upgrade&)) {
  return {.form = {.name = name,
                   .min_inputs = 2,
                   .max_inputs = 2,
                   .min_outputs = 2,
                   .max_outputs = 3,
                   .types = ops::types(DataType::f32, DataType::f16),
                   .attributes = {{.name = "num_classes", .default_text = "as the scores' shape says"},
                                  {.name = "background_label_id", .default_text = "-1: none"},
                                  {.name = "topk", .default_text = "all"},
                                  {.name = "keep_topk", .required = true},
                                  {.name = "score_threshold", .type = AttributeType::Float, .default_text = "0"},
                                  {.name = "iou_threshold", .type = AttributeType::Float, .required = true},
                                  {.name = "is_normalized", .default_text = "1"},
                                  {.name = "clip_boxes", .default_text = "1"},
                                  {.name = "return_index", .default_text = "0"}}},
          .op = "fovea::batched_nms",
          .translate = translate,
          .renamed = {{"background_class", {"background_label_id"}}, {"candidates", {"topk"}}, {"max_output_boxes", {"keep_topk"}}}};
}

}  // namespace

Alias trt_batched_nms() { return batched("BatchedNMS_TRT"); }
Alias trt_batched_nms_dynamic() { return batched("BatchedNMSDynamic_TRT"); }
Alias mmdeploy_batched_nms() { return mmdeploy_batched("TRTBatchedNMS", translate_mmdeploy_upright); }
Alias mmdeploy_batched_rotated_nms() { return mmdeploy_batched("TRTBatchedRotatedNMS", translate_mmdeploy_rotated); }

Alias trt_efficient_nms() {
  return {.form = {.name = "EfficientNMS_TRT",
                   .min_inputs = 2,
                   .max_inputs = 3,
                   .min_outputs = 4,
                   .max_outputs = 4,
                   .types = ops::types(DataType::f32, DataType::f16),
                   .attributes = {{.name = "score_threshold", .type = AttributeType::Float, .required = true},
                                  {.name = "iou_threshold", .type = AttributeType::Float, .required = true},
                                  {.name = "max_output_boxes", .required = true},
                                  {.name = "background_class", .default_text = "-1: none"},
                                  {.name = "score_activation", .default_text = "0"},
                                  {.name = "class_agnostic", .default_text = "0"},
                                  {.name = "box_coding", .default_text = "0: corners; 1: centre and size"}}},
          .op = "fovea::batched_nms",
          .translate = translate_efficient};
}

// In spite of its attribute's name each image has one limit for all of its classes.
Alias trt_efficient_nms_onnx() {
  return {.form = {.name = "EfficientNMS_ONNX_TRT",
                   .min_inputs = 2,
                   .max_inputs = 2,
                   .types = ops::types(DataType::f32, DataType::f16),
                   .attributes = {{.name = "score_threshold", .type = AttributeType::Float, .required = true},
                                  {.name = "iou_threshold", .type = AttributeType::Float, .required = true},
                                  {.name = "max_output_boxes_per_class", .required = true},
                                  {.name = "center_point_box", .default_text = "0: corners; 1: centre and size"}}},
          .op = "fovea::batched_nms",
          .translate = translate_efficient_onnx,
          .renamed = {{"max_output_boxes", {"max_output_boxes_per_class"}}}};
}

}  // namespace fovea::onnx::aliases
