// SPDX-License-Identifier: Apache-2.0
// Again and again the box with the highest score (ties: lower index) is taken, and the scores of those left are weighed
// down by how much it overlaps them: to 0 or by 1 - overlap from iou_threshold on, or by exp(-overlap^2 / sigma). What
// falls below min_score is out, the first box included; NaN never takes part.
#include <cmath>

#include "ops/detection/nms.h"
#include "ops/kernel_context.h"

namespace fovea::ops {

Status soft_nms_reference(KernelContext& context) {
  const Tensor &boxes = context.input(0), &scores = context.input(1);
  if (boxes.type() != DataType::f32 || boxes.rank() != 2 || boxes.dim(1) != 4) {
    return invalid_argument("boxes: expected f32 [boxes, 4], found ", name(boxes.type()), " ",
                            boxes.shape().to_string());
  }
  if (scores.type() != DataType::f32 || scores.rank() != 1 || scores.dim(0) != boxes.dim(0)) {
    return invalid_argument("scores: expected f32 [", boxes.dim(0), "], found ", name(scores.type()), " ",
                            scores.shape().to_string());
  }
  const auto threshold = static_cast<float>(context.attributes().get_float("iou_threshold", 0));
  const auto sigma = static_cast<float>(context.attributes().get_float("sigma", 0.5));
  const auto lowest = static_cast<float>(context.attributes().get_float("min_score", 0));
  const std::int64_t method = context.attributes().get_int("method", 0),
                     offset = context.attributes().get_int("offset", 0);
  if (method < 0 || method > 2)
    return invalid_model("method: expected 0 (naive), 1 (linear) or 2 (gaussian), found ", method);
  if (offset != 0 && offset != 1) return invalid_model("offset: expected 0 or 1, found ", offset);
  if (method == 2 && !(sigma > 0)) return invalid_model("sigma: expected a number above 0, found ", sigma);

  struct Candidate {
    std::int64_t index;
    float score;
  };
  std::vector<Candidate> left, taken;
  for (std::int64_t i = 0; i < scores.elements(); ++i) {
    if (scores.data<float>()[i] >= lowest) left.push_back({i, scores.data<float>()[i]});
  }
  const auto box = [&](std::int64_t i) { return Box::from(boxes.data<float>() + i * 4, BoxCoding::Corners); };
  while (!left.empty()) {
    const auto best = std::max_element(left.begin(), left.end(),
                                       [](const Candidate& a, const Candidate& b) { return a.score < b.score; });
    const Box top = box(best->index);
    taken.push_back(*best);
    left.erase(best);
    for (Candidate& other : left) {
      const float ratio = overlap_ratio(top, box(other.index), static_cast<float>(offset));  // NaN: none
      if (method == 2 && ratio > 0)
        other.score *= std::exp(-(ratio * ratio) / sigma);
      else if (method != 2 && ratio >= threshold)
        other.score *= method == 1 ? 1 - ratio : 0.0f;
    }
    std::erase_if(left, [&](const Candidate& other) { return !(other.score >= lowest); });
  }
  FOVEA_ASSIGN(Tensor detections, context.output(0, DataType::f32, {static_cast<std::int64_t>(taken.size()), 5}));
  float* row = detections.data<float>();
  for (const Candidate& kept : taken) {
    std::copy_n(boxes.data<float>() + kept.index * 4, 4, row);
    row[4] = kept.score;
    row += 5;
  }
  if (context.num_outputs() < 2) return {};
  FOVEA_ASSIGN(Tensor indices, context.output(1, DataType::i64, {static_cast<std::int64_t>(taken.size())}));
  for (std::size_t i = 0; i < taken.size(); ++i) indices.data<std::int64_t>()[i] = taken[i].index;
  return {};
}

}  // namespace fovea::ops
