// SPDX-License-Identifier: Apache-2.0
// Heads that give boxes as lists. Shapes have been checked (fit_boxes.cpp).
#include "task/decode_boxes.h"

#include "task/box_scoring.h"

namespace fovea::task {

Coordinates coordinates_of(const DetectionDecode& decode) {
  return std::visit([](const auto& kind) { return kind.coordinates; }, decode);
}

Result<std::vector<Candidate>> decode_boxes(const BoxesScores& decode, const BoxContext& context) {
  std::vector<Candidate> candidates;
  const std::pair<double, double> scale = pixel_scale(decode.coordinates, context.transform);
  for (std::size_t level = 0; level < decode.boxes.size(); ++level) {
    FOVEA_ASSIGN(const Matrix boxes, matrix_output(context.outputs, decode.boxes[level]));
    FOVEA_ASSIGN(const Matrix scores, matrix_output(context.outputs, decode.scores[level], boxes.rows));
    Matrix objectness, keypoints;
    if (!decode.objectness.empty()) {
      FOVEA_ASSIGN(objectness, matrix_output(context.outputs, decode.objectness[level], boxes.rows));
    }
    if (!decode.keypoints.empty()) {
      FOVEA_ASSIGN(keypoints, matrix_output(context.outputs, decode.keypoints[level], boxes.rows));
    }
    const ScoreRule rule = with_last_as_background(decode.rule, scores.columns);
    Scorer scorer(rule, context.threshold, candidates);
    for (std::int64_t r = 0; r < boxes.rows; ++r) {
      const auto make_box = [&] { return scaled(to_corners({boxes(r, 0), boxes(r, 1), boxes(r, 2), boxes(r, 3)}, decode.format), scale.first, scale.second); };
      const auto make_points = [&] {
        Points points;
        for (std::int64_t c = 0; c + 1 < keypoints.columns; c += 2) points.emplace_back(keypoints(r, c) * scale.first, keypoints(r, c + 1) * scale.second);
        return points;
      };
      scorer.add(objectness.values ? objectness(r, 0) : 1, objectness.values != nullptr, scores.columns,
                 [&](std::int64_t c) { return scores(r, c); }, make_box, make_points);
    }
  }
  return candidates;
}

Result<std::vector<Candidate>> decode_boxes(const Rows& decode, const BoxContext& context) {
  using C = Rows::Column;
  FOVEA_ASSIGN(const Matrix rows, matrix_output(context.outputs, decode.output, {}, decode.transposed));
  std::array<std::int64_t, 13> place;
  place.fill(-1);
  for (std::size_t i = 0; i < decode.columns.size(); ++i) place[static_cast<std::size_t>(decode.columns[i])] = static_cast<std::int64_t>(i);
  const auto at = [&](C column) { return place[static_cast<std::size_t>(column)]; };
  const std::pair<double, double> scale = pixel_scale(decode.coordinates, context.transform);
  const bool corners = at(C::X1) >= 0, has_classes = at(C::Classes) >= 0;
  const std::int64_t first = has_classes ? at(C::Classes) : at(C::Score), classes = has_classes ? rows.columns - first : 1;
  std::vector<Candidate> candidates;
  const ScoreRule rule = has_classes ? with_last_as_background(decode.rule, classes) : decode.rule;
  Scorer scorer(rule, context.threshold, candidates);
  for (std::int64_t r = 0; r < rows.rows; ++r) {
    const auto value = [&](C column) -> double { return rows(r, at(column)); };
    const std::size_t before = candidates.size();
    const auto make_box = [&] {
      const Box box = corners ? Box{value(C::X1), value(C::Y1), value(C::X2), value(C::Y2)} : Box{value(C::Cx), value(C::Cy), value(C::W), value(C::H)};
      return scaled(to_corners(box, corners ? BoxFormat::Xyxy : BoxFormat::Cxcywh), scale.first, scale.second);
    };
    scorer.add(at(C::Objectness) >= 0 ? value(C::Objectness) : 1, at(C::Objectness) >= 0, classes,
               [&](std::int64_t c) { return rows(r, first + c); }, make_box, no_points);
    if (at(C::Class) >= 0 && candidates.size() > before) {
      const double number = value(C::Class);
      candidates.back().class_id = std::abs(number) < 1e9 ? static_cast<int>(std::lround(number)) : -1;
    }
  }
  return candidates;
}

Result<std::vector<Candidate>> decode_boxes(const FinalBoxes& decode, const BoxContext& context) {
  FOVEA_ASSIGN(const Matrix boxes, matrix_output(context.outputs, decode.boxes));
  FOVEA_ASSIGN(const Matrix labels, matrix_output(context.outputs, decode.labels, boxes.rows));
  FOVEA_ASSIGN(const Matrix scores, matrix_output(context.outputs, decode.scores, boxes.rows));
  std::int64_t count = boxes.tensor.elements() == 0 ? 0 : boxes.rows;
  if (!decode.count.empty()) {
    FOVEA_ASSIGN(const Tensor stored, float_output(context.outputs, decode.count));
    count = std::clamp<std::int64_t>(static_cast<std::int64_t>(std::clamp(stored.data<float>()[0], 0.0f, 1e9f)), 0, count);
  }
  const std::pair<double, double> scale = pixel_scale(decode.coordinates, context.transform);
  std::vector<Candidate> candidates;
  for (std::int64_t r = 0; r < count; ++r) {
    const Box box = scaled(to_corners({boxes(r, 0), boxes(r, 1), boxes(r, 2), boxes(r, 3)}, decode.format), scale.first, scale.second);
    const double label = labels(r, 0);
    const bool finite = std::all_of(box.begin(), box.end(), [](double v) { return std::isfinite(v); }) && std::abs(label) < 1e9;
    if (scores(r, 0) >= context.threshold && finite) candidates.push_back({box, scores(r, 0), static_cast<int>(std::lround(label)) - decode.first_label, {}});
  }
  return candidates;
}

}  // namespace fovea::task
