// SPDX-License-Identifier: Apache-2.0
#include "ops/detection/nms_operands.h"

#include "base/checked_math.h"
#include "ops/axis.h"

namespace fovea::ops {

namespace {

bool is_rotated(std::string_view op) { return op == "mmdeploy::NMSRotated"; }

/// The one number of an optional f32 input; nothing when missing or empty.
Result<std::optional<float>> optional_float(KernelContext& context, int i, const char* what) {
  if (!context.has_input(i) || context.input(i).elements() == 0) return std::optional<float>();
  const Tensor& tensor = context.input(i);
  if (tensor.type() != DataType::f32 || tensor.elements() != 1) {
    return invalid_argument(what, ": expected one f32, found ", name(tensor.type()), " ", tensor.shape().to_string());
  }
  return std::optional<float>(*tensor.data<float>());
}

Result<NmsTask> onnx_inputs(KernelContext& context) {
  NmsTask task;
  task.limit = 0;
  if (context.has_input(2) && context.input(2).elements() > 0) {
    FOVEA_ASSIGN(task.limit, int_value(context.input(2), "max_output_boxes_per_class"));
  }
  FOVEA_ASSIGN(const auto iou_threshold, optional_float(context, 3, "iou_threshold"));
  FOVEA_ASSIGN(task.above, optional_float(context, 4, "score_threshold"));
  task.iou_threshold = iou_threshold.value_or(0);
  task.coding = context.attributes().get_int("center_point_box", 0) != 0 ? BoxCoding::Centre : BoxCoding::Corners;
  return task;
}

}  // namespace

NmsTask NmsOperands::task(std::int64_t index) const {
  NmsTask task = common;
  task.boxes = boxes + index / classes * common.count * common.box_stride;
  task.scores = scores + index * common.count;
  return task;
}

Result<NmsTask> nms_attributes(std::string_view op, const Attributes& attributes) {
  NmsTask task;
  const double score_threshold = attributes.get_float("score_threshold", 0);
  const std::int64_t offset = attributes.get_int("offset", 0),
                     limit = attributes.get_int("max_output_boxes_per_class", 0);
  if (offset != 0 && offset != 1) return invalid_model("offset: expected 0 or 1, found ", offset);
  task.iou_threshold = static_cast<float>(attributes.get_float("iou_threshold", 0));
  task.offset = static_cast<float>(offset);
  if (score_threshold > 0) task.above = static_cast<float>(score_threshold);
  if (limit > 0) task.limit = limit;
  if (attributes.get_int("center_point_box", 0) != 0) task.coding = BoxCoding::Centre;
  if (is_rotated(op)) task.coding = BoxCoding::Rotated, task.box_stride = 5;
  return task;
}

Status set_nms_shapes(std::string_view op, const Shape& boxes, const Shape& scores, NmsOperands& operands) {
  const std::int64_t values = is_rotated(op) ? 5 : 4;
  const bool one_class = boxes.rank() == 2 && op != "NonMaxSuppression";
  if (boxes.rank() != (one_class ? 2 : 3) || boxes[boxes.rank() - 1] != values) {
    return invalid_argument("boxes: expected [batch, boxes, ", values, "], found ", boxes.to_string());
  }
  const std::int64_t count = boxes[one_class ? 0 : 1];
  if (one_class ? scores.rank() != 1 || scores[0] != count
                : scores.rank() != 3 || scores[0] != boxes[0] || scores[2] != count) {
    return one_class ? invalid_argument("scores: expected [", count, "], found ", scores.to_string())
                     : invalid_argument("scores: expected [", boxes[0], ", classes, ", count, "], found ",
                                        scores.to_string());
  }
  operands.batch = one_class ? 1 : boxes[0];
  operands.classes = one_class ? 1 : scores[1];
  operands.common.count = count;
  operands.output = one_class                         ? NmsOutput::Indices
                    : op == "mmcv::NonMaxSuppression" ? NmsOutput::PaddedRows
                                                      : NmsOutput::Rows;
  return {};
}

Result<NmsOperands> nms_operands(KernelContext& context) {
  const Tensor &boxes = context.input(0), &scores = context.input(1);
  for (const auto& [tensor, what] : {std::pair(&boxes, "boxes"), std::pair(&scores, "scores")}) {
    if (tensor->type() != DataType::f32) return invalid_argument(what, ": expected f32, found ", name(tensor->type()));
  }
  NmsOperands operands;
  if (context.op() == "NonMaxSuppression") {
    FOVEA_ASSIGN(operands.common, onnx_inputs(context));
  } else {
    FOVEA_ASSIGN(operands.common, nms_attributes(context.op(), context.attributes()));
  }
  FOVEA_RETURN_IF_ERROR(set_nms_shapes(context.op(), boxes.shape(), scores.shape(), operands));
  operands.boxes = boxes.data<float>();
  operands.scores = scores.data<float>();
  // Huge extents beside a zero mean no work, and are not multiplied.
  if (scores.elements() == 0 || operands.limit() <= 0) operands.batch = operands.classes = operands.common.count = 0;
  return operands;
}

Status write_kept(KernelContext& context, const NmsOperands& operands, const KeptBoxes& kept) {
  std::int64_t count = 0;
  for (const auto& boxes : kept) count += static_cast<std::int64_t>(boxes.size());
  if (operands.output == NmsOutput::Indices) {
    FOVEA_ASSIGN(Tensor indices, context.output(0, DataType::i64, {count}));
    for (std::int64_t* to = indices.data<std::int64_t>(); const auto& boxes : kept)
      to = std::copy(boxes.begin(), boxes.end(), to);
    return {};
  }
  const auto write_rows = [&](auto* row) {
    using T = std::remove_pointer_t<decltype(row)>;
    for (std::size_t task = 0; task < kept.size(); ++task) {
      const auto at = static_cast<std::int64_t>(task);
      for (const std::int64_t box : kept[task]) {
        row[0] = static_cast<T>(at / operands.classes), row[1] = static_cast<T>(at % operands.classes),
        row[2] = static_cast<T>(box);
        row += 3;
      }
    }
    return row;
  };
  if (operands.output == NmsOutput::Rows) {
    FOVEA_ASSIGN(Tensor rows, context.output(0, DataType::i64, {count, 3}));
    write_rows(rows.data<std::int64_t>());
    return {};
  }
  std::int64_t padded = 0;
  if (!checked_mul(operands.tasks(), operands.limit(), padded))
    return invalid_argument("number of rows overflows 63 bits");
  FOVEA_ASSIGN(Tensor rows, context.output(0, DataType::i32, {padded, 3}));
  std::fill(write_rows(rows.data<std::int32_t>()), rows.data<std::int32_t>() + rows.elements(), -1);
  if (context.num_outputs() > 1) {
    FOVEA_ASSIGN(Tensor valid, context.output(1, DataType::i32, {1}));
    *valid.data<std::int32_t>() = static_cast<std::int32_t>(count);
  }
  return {};
}

}  // namespace fovea::ops
