// SPDX-License-Identifier: Apache-2.0
// NonMaxSuppression: per batch and class, boxes in order of falling score (ties: lower index first) are kept unless
// one kept before overlaps them by more than iou_threshold, until max_output_boxes_per_class are kept (0: none).
// Only scores strictly above score_threshold take part, when it is given; NaN scores never do.
#include <cmath>
#include <numeric>
#include <optional>

#include "ops/axis.h"
#include "ops/detection/nms.h"
#include "ops/kernel_context.h"

namespace fovea::ops {

namespace {

/// The one number of an optional f32 input; nothing when missing or empty.
Result<std::optional<float>> optional_float(KernelContext& context, int i, const char* what) {
  if (!context.has_input(i) || context.input(i).elements() == 0) return std::optional<float>();
  const Tensor& tensor = context.input(i);
  if (tensor.type() != DataType::f32 || tensor.elements() != 1) {
    return invalid_argument(what, ": expected one f32, found ", name(tensor.type()), " ", tensor.shape().to_string());
  }
  return std::optional<float>(*tensor.data<float>());
}

/// Indices of the boxes that may be kept, best first.
std::vector<std::int64_t> candidates(const float* scores, std::int64_t count, std::optional<float> threshold) {
  std::vector<std::int64_t> order;
  for (std::int64_t i = 0; i < count; ++i) {
    if (!std::isnan(scores[i]) && (!threshold || scores[i] > *threshold)) order.push_back(i);
  }
  std::stable_sort(order.begin(), order.end(), [&](std::int64_t a, std::int64_t b) { return scores[a] > scores[b]; });
  return order;
}

}  // namespace

Status non_max_suppression_reference(KernelContext& context) {
  const Tensor &boxes = context.input(0), &scores = context.input(1);
  if (boxes.type() != DataType::f32 || boxes.rank() != 3 || boxes.dim(2) != 4) {
    return invalid_argument("boxes: expected f32 [batch, boxes, 4], found ", name(boxes.type()), " ", boxes.shape().to_string());
  }
  if (scores.type() != DataType::f32 || scores.rank() != 3 || scores.dim(0) != boxes.dim(0) || scores.dim(2) != boxes.dim(1)) {
    return invalid_argument("scores: expected f32 [", boxes.dim(0), ", classes, ", boxes.dim(1), "], found ", name(scores.type()), " ", scores.shape().to_string());
  }
  std::int64_t limit = 0;
  if (context.has_input(2) && context.input(2).elements() > 0) {
    FOVEA_ASSIGN(limit, int_value(context.input(2), "max_output_boxes_per_class"));
  }
  FOVEA_ASSIGN(const auto iou_threshold, optional_float(context, 3, "iou_threshold"));
  FOVEA_ASSIGN(const auto score_threshold, optional_float(context, 4, "score_threshold"));
  const bool centred = context.attributes().get_int("center_point_box", 0) != 0;
  const std::int64_t classes = scores.dim(1), count = boxes.dim(1);
  if (scores.elements() == 0) limit = 0;

  std::vector<std::int64_t> rows;
  for (std::int64_t n = 0; limit > 0 && n < boxes.dim(0); ++n) {
    std::vector<Box> all;
    for (std::int64_t i = 0; i < count; ++i) {
      const float* const values = boxes.data<float>() + (n * count + i) * 4;
      all.push_back(centred ? Box::from_centre(values) : Box::from_corners(values));
    }
    for (std::int64_t c = 0; c < classes; ++c) {
      std::vector<Box> kept;
      for (const std::int64_t i : candidates(scores.data<float>() + (n * classes + c) * count, count, score_threshold)) {
        if (static_cast<std::int64_t>(kept.size()) == limit) break;
        const Box& box = all[static_cast<std::size_t>(i)];
        const auto hides = [&](const Box& better) { return overlaps(better, box, iou_threshold.value_or(0)); };
        if (std::any_of(kept.begin(), kept.end(), hides)) continue;
        kept.push_back(box);
        rows.insert(rows.end(), {n, c, i});
      }
    }
  }
  FOVEA_ASSIGN(Tensor selected, context.output(0, DataType::i64, {static_cast<std::int64_t>(rows.size()) / 3, 3}));
  std::copy(rows.begin(), rows.end(), selected.data<std::int64_t>());
  return {};
}

}  // namespace fovea::ops
