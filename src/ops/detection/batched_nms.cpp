// SPDX-License-Identifier: Apache-2.0
#include "ops/detection/batched_nms.h"

#include <cmath>

#include "ops/schema.h"

namespace fovea::ops {

namespace {

/// The raw score whose sigmoid is `threshold`.
std::optional<float> inverse_sigmoid(float threshold) {
  if (!(threshold > 0)) return std::nullopt;
  if (threshold >= 1) return std::numeric_limits<float>::infinity();
  return std::log(threshold / (1 - threshold));
}

Status infer_batched_nms(InferContext& context) {
  FOVEA_ASSIGN(const BatchedNmsParams params, BatchedNmsParams::parse(context.attributes()));
  const SymbolicShape *boxes = context.input_shape(0), *scores = context.input_shape(1);
  if (boxes && boxes->size() != 3 && boxes->size() != 4)
    return invalid_model("boxes: expected rank 3 or 4, found ", to_string(*boxes));
  if (scores && scores->size() != 3)
    return invalid_model("scores: expected [images, boxes, classes], found ", to_string(*scores));
  const DataType type = context.input_element(0);
  for (const int integers : {0, 3, 4, 5}) context.set_output_element(integers, DataType::i32);
  for (const int floats : {1, 2}) context.set_output_element(floats, type);
  const SymbolicShape* known = boxes ? boxes : scores;
  if (!known) return {};
  const Dim images = (*known)[0], keep = Dim(params.keep);
  context.set_output_shape(0, {images, Dim(1)});
  context.set_output_shape(1, {images, keep, Dim(params.box_values())});
  for (const int row : {2, 3, 4}) context.set_output_shape(row, {images, keep});
  context.set_output_shape(5, {images * keep, Dim(3)});
  return {};
}

}  // namespace

Result<BatchedNmsParams> BatchedNmsParams::parse(const Attributes& attributes) {
  BatchedNmsParams params;
  params.keep = attributes.get_int("max_output_boxes");
  if (params.keep < 1 || params.keep > INT32_MAX)
    return invalid_model("max_output_boxes: expected a number in 1..", INT32_MAX, ", found ", params.keep);
  const std::int64_t coding = attributes.get_int("box_coding", 0);
  if (coding < 0 || coding > 2)
    return invalid_model("box_coding: expected 0 (corners), 1 (centre and size) or 2 (rotated), found ", coding);
  params.common.coding = static_cast<BoxCoding>(coding);
  params.common.iou_threshold = static_cast<float>(attributes.get_float("iou_threshold", 0));
  const std::int64_t offset = attributes.get_int("offset", 0), candidates = attributes.get_int("candidates", 0);
  if (offset != 0 && offset != 1) return invalid_model("offset: expected 0 or 1, found ", offset);
  params.common.offset = static_cast<float>(offset);
  if (candidates > 0) params.common.candidates = candidates;
  params.common.limit = params.keep;
  params.background = attributes.get_int("background_class", -1);
  params.class_agnostic = attributes.get_int("class_agnostic", 0) != 0;
  params.sigmoid = attributes.get_int("score_activation", 0) != 0;
  params.clip = attributes.get_int("clip", 0) != 0;
  params.padding_class = attributes.get_int("padding_class", 0) < 0 ? -1 : 0;
  const auto threshold = static_cast<float>(attributes.get_float("score_threshold", 0));
  params.common.above = params.sigmoid ? inverse_sigmoid(threshold) : threshold;
  if (attributes.get_int("inclusive", 0) != 0) {
    if (params.common.above) params.common.above = just_below(*params.common.above);
    if (params.common.iou_threshold > 0) params.common.iou_threshold = just_below(params.common.iou_threshold);
  }
  return params;
}

Result<BatchedNmsShapes> BatchedNmsShapes::find(const BatchedNmsParams& params, const Shape& boxes,
                                                const Shape& scores) {
  if (scores.rank() != 3)
    return invalid_argument("scores: expected [images, boxes, classes], found ", scores.to_string());
  BatchedNmsShapes shapes{scores[0], scores[1], scores[2], 1};
  const bool fits = (boxes.rank() == 3 || boxes.rank() == 4) && boxes[0] == shapes.images && boxes[1] == shapes.boxes &&
                    boxes[boxes.rank() - 1] == params.box_values() &&
                    (boxes.rank() == 3 || boxes[2] == 1 || boxes[2] == shapes.classes);
  if (!fits) {
    return invalid_argument("boxes: expected [", shapes.images, ", ", shapes.boxes, ", ", params.box_values(), "] or [",
                            shapes.images, ", ", shapes.boxes, ", 1 or ", shapes.classes, ", ", params.box_values(),
                            "] beside scores ", scores.to_string(), ", found ", boxes.to_string());
  }
  if (boxes.rank() == 4) shapes.box_classes = boxes[2];
  if (shapes.boxes > INT32_MAX || shapes.classes > INT32_MAX)
    return invalid_argument("scores: at most ", INT32_MAX, " boxes and classes, found ", scores.to_string());
  return shapes;
}

NmsTask class_task(const BatchedNmsParams& params, const BatchedNmsShapes& shapes, const float* boxes,
                   const float* scores, std::int64_t of_class) {
  NmsTask task = params.common;
  const std::int64_t values = params.box_values();
  const bool own = shapes.box_classes > 1;
  task.scores = scores;
  if (params.class_agnostic) {
    task.count = shapes.boxes * shapes.classes;
    task.boxes = boxes;
    task.box_stride = values;
    task.shared = own ? 1 : shapes.classes;
  } else {
    task.count = shapes.boxes;
    task.boxes = boxes + (own ? of_class * values : 0);
    task.box_stride = values * shapes.box_classes;
  }
  return task;
}

void write_detections(const BatchedNmsParams& params, const BatchedNmsShapes& shapes, const float* boxes,
                      const Detection* found, std::int64_t count, const DetectionRows& rows) {
  count = std::min(count, params.keep);
  const std::int64_t values = params.box_values();
  if (rows.count) *rows.count = static_cast<std::int32_t>(count);
  for (std::int64_t i = 0; i < params.keep; ++i) {
    const bool valid = i < count;
    if (rows.scores)
      rows.scores[i] = !valid ? 0.0f : params.sigmoid ? 1 / (1 + std::exp(-found[i].score)) : found[i].score;
    if (rows.classes) rows.classes[i] = valid ? found[i].of_class : params.padding_class;
    if (rows.indices) rows.indices[i] = valid ? found[i].box : -1;
    if (rows.triples) {
      std::int32_t* const triple = rows.triples + i * 3;
      triple[0] = valid ? static_cast<std::int32_t>(rows.image) : -1;
      triple[1] = valid ? found[i].of_class : -1;
      triple[2] = valid ? found[i].box : -1;
    }
    if (!rows.boxes) continue;
    float* const to = rows.boxes + i * values;
    std::fill_n(to, values, 0.0f);
    if (!valid) continue;
    const std::int64_t at =
        shapes.box_classes > 1 ? found[i].box * shapes.box_classes + found[i].of_class : found[i].box;
    const float* const from = boxes + at * values;
    if (params.common.coding == BoxCoding::Centre) {
      const Box box = Box::from(from, BoxCoding::Centre);
      to[0] = box.x1, to[1] = box.y1, to[2] = box.x2, to[3] = box.y2;
    } else {
      std::copy_n(from, values, to);
    }
    if (params.clip && values == 4) std::transform(to, to + 4, to, [](float v) { return std::clamp(v, 0.0f, 1.0f); });
  }
}

void close_triples(std::int32_t* triples, std::int64_t count) {
  std::int64_t valid = 0;
  for (std::int64_t i = 0; i < count; ++i) {
    if (triples[i * 3] >= 0) std::copy_n(triples + i * 3, 3, triples + 3 * valid++);
  }
  for (std::int64_t i = valid; valid > 0 && i < count; ++i) std::copy_n(triples + 3 * (valid - 1), 3, triples + i * 3);
}

OperatorSchema batched_nms_schema() {
  return {.name = "fovea::batched_nms",
          .min_inputs = 2,
          .max_inputs = 3,
          .max_outputs = 6,
          .types = types(DataType::f32, DataType::f16, DataType::bf16),
          .attributes = {{.name = "max_output_boxes", .required = true},
                         {.name = "score_threshold", .type = AttributeType::Float, .default_text = "0"},
                         {.name = "iou_threshold", .type = AttributeType::Float, .default_text = "0"},
                         {.name = "inclusive",
                          .default_text = "0; 1: scores at their threshold take part, boxes hide others at theirs"},
                         {.name = "candidates", .default_text = "0: all take part"},
                         {.name = "background_class", .default_text = "-1: none"},
                         {.name = "class_agnostic", .default_text = "0"},
                         {.name = "score_activation", .default_text = "0"},
                         {.name = "box_coding", .default_text = "0: corners"},
                         {.name = "offset", .default_text = "0"},
                         {.name = "clip", .default_text = "0"},
                         {.name = "padding_class", .default_text = "0"}},
          .infer = infer_batched_nms,
          .summary = "the best detections of all classes, padded to a fixed number"};
}

}  // namespace fovea::ops
