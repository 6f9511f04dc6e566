// SPDX-License-Identifier: Apache-2.0
#include "task/decode.h"

#include <algorithm>
#include <cmath>

#include "task/coordinates.h"
#include "task/decode_boxes.h"
#include "task/decode_maps.h"
#include "task/output_view.h"
#include "task/recipe_fit.h"

namespace fovea::task {

namespace {

bool is_empty(const std::array<double, 4>& box) { return box[2] <= box[0] || box[3] <= box[1]; }

/// Cut at the picture's edges; nothing when nothing is left. After rounding to f32, which may close the last gap.
bool clip(std::array<double, 4>& box, const image::ImageTransform& transform) {
  box = transform.clip_to_picture(box);
  return !is_empty({static_cast<float>(box[0]), static_cast<float>(box[1]), static_cast<float>(box[2]), static_cast<float>(box[3])});
}

Result<std::vector<Detection>> decode_detections(const TaskRecipe& recipe, const DetectionRecipe& task, const NamedTensors& outputs,
                                                 const image::ImageTransform& transform) {
  const BoxContext context{outputs, transform, task.score_threshold};
  FOVEA_ASSIGN(auto candidates, std::visit([&](const auto& kind) { return decode_boxes(kind, context); }, task.decode));
  // Overlaps are shares of areas, so they are the same on the picture as on the input.
  const image::ImageTransform back = way_back(coordinates_of(task.decode), transform);
  for (Candidate& candidate : candidates) candidate.box = back.box_to_picture(candidate.box);
  const auto clipped_away = [&](Candidate& candidate) { return !clip(candidate.box, transform); };
  if (task.clip == Clip::BeforeNms) std::erase_if(candidates, clipped_away);
  candidates = select_best(std::move(candidates), task.nms, task.max_detections);
  if (task.clip == Clip::AfterNms) std::erase_if(candidates, clipped_away);
  std::vector<Detection> detections;
  for (const Candidate& candidate : candidates) {
    Detection detection{candidate.class_id, recipe.label_of(candidate.class_id), static_cast<float>(candidate.score), {}, {}};
    std::transform(candidate.box.begin(), candidate.box.end(), detection.box.begin(), [](double value) { return static_cast<float>(value); });
    for (const auto& [x, y] : candidate.keypoints) {
      detection.keypoints.emplace_back(static_cast<float>(back.to_picture_x(x)), static_cast<float>(back.to_picture_y(y)));
    }
    detections.push_back(std::move(detection));
  }
  return detections;
}

Result<std::vector<ClassScore>> decode_classes(const TaskRecipe& recipe, const ClassificationRecipe& task, const NamedTensors& outputs) {
  FOVEA_ASSIGN(const Tensor raw, float_output(outputs, task.output));
  std::vector<double> scores(raw.values<float>().begin(), raw.values<float>().end());
  activate(task.activation, scores);
  scores.erase(scores.begin(), scores.begin() + task.skip);
  std::vector<int> order;
  for (std::size_t i = 0; i < scores.size(); ++i) {
    if (!std::isnan(scores[i])) order.push_back(static_cast<int>(i));
  }
  std::stable_sort(order.begin(), order.end(), [&](int a, int b) { return scores[static_cast<std::size_t>(a)] > scores[static_cast<std::size_t>(b)]; });
  std::vector<ClassScore> best;
  for (int id : order) {
    if (static_cast<int>(best.size()) == task.top_k) break;
    best.push_back({id, recipe.label_of(id), static_cast<float>(scores[static_cast<std::size_t>(id)])});
  }
  return best;
}

Result<std::vector<std::pair<float, float>>> decode_landmarks(const LandmarksRecipe& task, const NamedTensors& outputs, const image::ImageTransform& transform) {
  FOVEA_ASSIGN(const Tensor raw, float_output(outputs, task.output));
  const std::pair<double, double> scale = pixel_scale(task.coordinates, transform);
  const image::ImageTransform back = way_back(task.coordinates, transform);
  std::vector<std::pair<float, float>> points;
  for (std::int64_t i = 0; i < raw.elements(); i += task.values_per_point) {
    const float* point = raw.data<float>() + i;
    points.emplace_back(static_cast<float>(back.to_picture_x(point[0] * scale.first)), static_cast<float>(back.to_picture_y(point[1] * scale.second)));
  }
  return points;
}

/// One task's part of the answer.
struct TaskDecoder {
  const TaskRecipe& recipe;
  const NamedTensors& outputs;
  const image::ImageTransform& transform;
  Prediction& into;

  Status operator()(const DetectionRecipe& task) {
    into.kinds.push_back(Prediction::Kind::Detections);
    FOVEA_ASSIGN(into.detections, decode_detections(recipe, task, outputs, transform));
    return {};
  }
  Status operator()(const ClassificationRecipe& task) {
    into.kinds.push_back(Prediction::Kind::Classes);
    FOVEA_ASSIGN(into.classes, decode_classes(recipe, task, outputs));
    return {};
  }
  Status operator()(const SegmentationRecipe& task) {
    into.kinds.push_back(Prediction::Kind::Segmentation);
    FOVEA_ASSIGN(into.segmentation, decode_segmentation(recipe, task, outputs, transform));
    return {};
  }
  Status operator()(const DepthRecipe& task) {
    into.kinds.push_back(Prediction::Kind::Depth);
    FOVEA_ASSIGN(into.depth, decode_depth(task, outputs, transform));
    return {};
  }
  Status operator()(const LandmarksRecipe& task) {
    into.kinds.push_back(Prediction::Kind::Landmarks);
    FOVEA_ASSIGN(into.landmarks, decode_landmarks(task, outputs, transform));
    return {};
  }
};

}  // namespace

Result<Prediction> decode(const Recipe& recipe, const NamedTensors& outputs, const image::ImageTransform& transform) {
  FOVEA_RETURN_IF_ERROR(fit_outputs(recipe, output_shapes(outputs), {transform.input_height, transform.input_width}));
  Prediction prediction;
  for (const TaskRecipe& task : recipe.tasks) FOVEA_RETURN_IF_ERROR(std::visit(TaskDecoder{task, outputs, transform, prediction}, task.decode));
  return prediction;
}

}  // namespace fovea::task
