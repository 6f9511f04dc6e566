// SPDX-License-Identifier: Apache-2.0
// NonMaxSuppression of ONNX, of mmcv (thresholds are attributes, rows are padded) and for rotated boxes.
#include "ops/detection/nms_operands.h"
#include "ops/schema.h"

namespace fovea::ops {

namespace {

Status check_extent(const SymbolicShape* shape, std::size_t axis, std::int64_t expected, const char* what) {
  if (!shape || !(*shape)[axis].is_constant() || (*shape)[axis].constant() == expected) return {};
  return invalid_model(what, ": expected ", expected, " numbers a box, found ", to_string(*shape));
}

Status infer_rows(InferContext& context) {
  const SymbolicShape *boxes = context.input_shape(0), *scores = context.input_shape(1);
  if (boxes && boxes->size() != 3) return invalid_model("boxes: expected [batch, boxes, 4], found ", to_string(*boxes));
  if (scores && scores->size() != 3)
    return invalid_model("scores: expected [batch, classes, boxes], found ", to_string(*scores));
  FOVEA_RETURN_IF_ERROR(check_extent(boxes, 2, 4, "boxes"));
  context.set_output(0, DataType::i64, {context.fresh_symbol("nms"), Dim(3)});
  return {};
}

/// The form follows from the rank of the boxes.
Status infer_by_rank(InferContext& context) {
  FOVEA_ASSIGN(const NmsTask task, nms_attributes(context.op(), context.attributes()));
  const SymbolicShape *boxes = context.input_shape(0), *scores = context.input_shape(1);
  if (!boxes) return {};
  const std::size_t rank = boxes->size(), scores_rank = rank == 2 ? 1 : 3;
  if (rank != 2 && rank != 3) return invalid_model("boxes: expected rank 2 or 3, found ", to_string(*boxes));
  if (scores && scores->size() != scores_rank)
    return invalid_model("scores: expected rank ", scores_rank, " beside boxes ", to_string(*boxes), ", found ",
                         to_string(*scores));
  FOVEA_RETURN_IF_ERROR(check_extent(boxes, rank - 1, task.box_stride, "boxes"));
  if (rank == 2) {
    context.set_output(0, DataType::i64, {context.fresh_symbol("nms")});
  } else if (task.coding == BoxCoding::Rotated) {
    context.set_output(0, DataType::i64, {context.fresh_symbol("nms"), Dim(3)});
  } else {
    context.set_output_element(0, DataType::i32);
    const Dim& count = (*boxes)[1];
    const bool all = task.limit == std::numeric_limits<std::int64_t>::max();
    if (scores)
      context.set_output_shape(0, {(*boxes)[0] * (*scores)[1] * (all ? count : min(count, Dim(task.limit))), Dim(3)});
    context.set_output(1, DataType::i32, {Dim(1)});
  }
  return {};
}

}  // namespace

OperatorSchema non_max_suppression_schema() {
  return {.name = "NonMaxSuppression",
          .since = 10,
          .min_inputs = 2,
          .max_inputs = 5,
          .types = types(DataType::f32),
          .attributes = {{.name = "center_point_box", .type = AttributeType::Int, .default_text = "0"}},
          .infer = infer_rows,
          .traits = kDataDependent,
          .summary = "keeps the best of overlapping boxes, class by class"};
}

OperatorSchema mmcv_non_max_suppression_schema() {
  return {.name = "mmcv::NonMaxSuppression",
          .min_inputs = 2,
          .max_inputs = 2,
          .max_outputs = 2,
          .types = types(DataType::f32),
          .attributes = {{.name = "center_point_box", .default_text = "0"},
                         {.name = "max_output_boxes_per_class", .default_text = "0: all"},
                         {.name = "iou_threshold", .type = AttributeType::Float, .default_text = "0"},
                         {.name = "score_threshold", .type = AttributeType::Float, .default_text = "0: none"},
                         {.name = "offset", .default_text = "0"}},
          .infer = infer_by_rank,
          .traits = kDataDependent,
          .summary = "the same with attributes; rows padded with -1 and their count, or indices of one class"};
}

OperatorSchema nms_rotated_schema() {
  return {.name = "mmdeploy::NMSRotated",
          .min_inputs = 2,
          .max_inputs = 2,
          .types = types(DataType::f32),
          .attributes = {{.name = "iou_threshold", .type = AttributeType::Float, .default_text = "0"},
                         {.name = "score_threshold", .type = AttributeType::Float, .default_text = "0: none"}},
          .infer = infer_by_rank,
          .traits = kDataDependent,
          .summary = "keeps the best of overlapping rotated boxes (x, y, width, height, angle)"};
}

}  // namespace fovea::ops
