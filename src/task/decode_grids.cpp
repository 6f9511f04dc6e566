// SPDX-License-Identifier: Apache-2.0
// Heads that give offsets on grids of cells. Shapes have been checked (fit_boxes.cpp).
#include "task/box_scoring.h"

namespace fovea::task {

Result<std::vector<Candidate>> decode_boxes(const YoloGrid& decode, const BoxContext& context) {
  std::vector<Candidate> candidates;
  for (const YoloGrid::Level& level : decode.levels) {
    FOVEA_ASSIGN(const Tensor raw, float_output(context.outputs, level.output));
    const auto anchors = static_cast<std::int64_t>(level.anchors.size());
    const Shape& s = raw.shape();
    // Strides of anchor, value, y and x in the two forms.
    const bool five = s.rank() == 5;
    const std::int64_t values = five ? s[4] : s[1] / anchors, h = s[2], w = s[3];
    const std::int64_t step_anchor = values * h * w, step_value = five ? 1 : h * w, step_cell = five ? values : 1;
    ScoreRule rule = decode.rule;
    rule.activation = decode.activated ? Activation::None : Activation::Sigmoid;
    Scorer scorer(rule, context.threshold, candidates);
    const auto sigmoid = [&](double v) { return decode.activated ? v : 1 / (1 + std::exp(-v)); };
    for (std::int64_t a = 0; a < anchors; ++a) {
      for (std::int64_t cell = 0; cell < h * w; ++cell) {
        const float* p = raw.data<float>() + a * step_anchor + cell * step_cell;
        const auto at = [&](std::int64_t i) -> double { return p[i * step_value]; };
        const auto make_box = [&]() -> Box {
          const auto column = static_cast<double>(cell % w), line = static_cast<double>(cell / w);
          const auto& anchor = level.anchors[static_cast<std::size_t>(a)];
          Box box;
          if (decode.version == YoloGrid::Version::V5) {
            const double bw = 2 * sigmoid(at(2)), bh = 2 * sigmoid(at(3));
            box = {(2 * sigmoid(at(0)) - 0.5 + column) * level.stride, (2 * sigmoid(at(1)) - 0.5 + line) * level.stride, bw * bw * anchor[0], bh * bh * anchor[1]};
          } else {
            box = {(sigmoid(at(0)) + column) * level.stride, (sigmoid(at(1)) + line) * level.stride, std::exp(at(2)) * anchor[0], std::exp(at(3)) * anchor[1]};
          }
          return to_corners(box, BoxFormat::Cxcywh);
        };
        scorer.add(at(4), true, values - 5, [&](std::int64_t c) { return at(5 + c); }, make_box, no_points);
      }
    }
  }
  return candidates;
}

Result<std::vector<Candidate>> decode_boxes(const SsdPriors& decode, const BoxContext& context) {
  FOVEA_ASSIGN(const Matrix boxes, matrix_output(context.outputs, decode.boxes));
  FOVEA_ASSIGN(const Matrix scores, matrix_output(context.outputs, decode.scores, boxes.rows));
  const auto grid = [](int side, double stride) { return static_cast<std::int64_t>(std::ceil(side / stride)); };
  std::vector<Candidate> candidates;
  const ScoreRule rule = with_last_as_background(decode.rule, scores.columns);
  Scorer scorer(rule, context.threshold, candidates);
  std::int64_t r = 0;
  for (const auto& level : decode.levels) {
    const std::int64_t w = grid(context.transform.input_width, level.stride), h = grid(context.transform.input_height, level.stride);
    for (std::int64_t cell = 0; cell < h * w; ++cell) {
      const double px = (static_cast<double>(cell % w) + decode.offset) * level.stride, py = (static_cast<double>(cell / w) + decode.offset) * level.stride;
      for (const auto& size : level.sizes) {
        const auto point = [&](std::int64_t i) {
          return std::pair(px + boxes(r, i) * decode.variances[0] * size[0], py + boxes(r, i + 1) * decode.variances[0] * size[1]);
        };
        const auto side = [&](std::int64_t i) {
          const double raw = boxes(r, 2 + i) * decode.variances[1], prior = size[static_cast<std::size_t>(i)];
          return (decode.linear_size ? raw : std::exp(raw)) * prior;
        };
        const auto make_box = [&] {
          const auto [cx, cy] = point(0);
          return to_corners({cx, cy, side(0), side(1)}, BoxFormat::Cxcywh);
        };
        const auto make_points = [&] {
          Points points;
          for (int k = 0; k < decode.keypoints; ++k) points.push_back(point(4 + 2 * k));
          return points;
        };
        scorer.add(1, false, scores.columns, [&](std::int64_t c) { return scores(r, c); }, make_box, make_points);
        ++r;
      }
    }
  }
  return candidates;
}

Result<std::vector<Candidate>> decode_boxes(const AnchorFreeGrid& decode, const BoxContext& context) {
  using Kind = AnchorFreeGrid::Box;
  std::vector<Candidate> candidates;
  for (const auto& level : decode.levels) {
    FOVEA_ASSIGN(const Matrix boxes, matrix_output(context.outputs, level.boxes));
    FOVEA_ASSIGN(const Matrix scores, matrix_output(context.outputs, level.scores, boxes.rows));
    Matrix objectness, keypoints;
    const auto w = static_cast<std::int64_t>(std::ceil(context.transform.input_width / level.stride));
    const auto h = static_cast<std::int64_t>(std::ceil(context.transform.input_height / level.stride));
    if (!level.objectness.empty()) {
      FOVEA_ASSIGN(objectness, matrix_output(context.outputs, level.objectness, boxes.rows));
    }
    if (!level.keypoints.empty()) {
      FOVEA_ASSIGN(keypoints, matrix_output(context.outputs, level.keypoints, boxes.rows));
    }
    const std::int64_t bins = boxes.columns / 4;
    std::vector<double> distribution(static_cast<std::size_t>(bins));
    const double unit = decode.stride_units ? level.stride : 1;
    const ScoreRule rule = with_last_as_background(decode.rule, scores.columns);
    Scorer scorer(rule, context.threshold, candidates);
    for (std::int64_t r = 0; r < w * h; ++r) {
      const auto column = static_cast<double>(r % w), line = static_cast<double>(r / w);
      // Mean of the distribution over bins 0, 1, 2 ...
      const auto expectation = [&](std::int64_t side) {
        for (std::int64_t b = 0; b < bins; ++b) distribution[static_cast<std::size_t>(b)] = boxes(r, side * bins + b);
        activate(Activation::Softmax, distribution);
        double mean = 0;
        for (std::int64_t b = 0; b < bins; ++b) mean += distribution[static_cast<std::size_t>(b)] * static_cast<double>(b);
        return mean;
      };
      const auto make_box = [&]() -> Box {
        if (decode.box == Kind::CenterExp) {
          return to_corners({(column + boxes(r, 0)) * level.stride, (line + boxes(r, 1)) * level.stride, std::exp(boxes(r, 2)) * level.stride,
                             std::exp(boxes(r, 3)) * level.stride}, BoxFormat::Cxcywh);
        }
        const auto distance = [&](std::int64_t side) { return unit * (decode.box == Kind::Dfl ? expectation(side) : boxes(r, side)); };
        const double cx = (column + decode.offset) * level.stride, cy = (line + decode.offset) * level.stride;
        return {cx - distance(0), cy - distance(1), cx + distance(2), cy + distance(3)};
      };
      const auto make_points = [&] {
        Points points;
        for (std::int64_t c = 0; c + 1 < keypoints.columns; c += 2) {
          points.emplace_back((column + keypoints(r, c)) * level.stride, (line + keypoints(r, c + 1)) * level.stride);
        }
        return points;
      };
      scorer.add(objectness.values ? objectness(r, 0) : 1, objectness.values != nullptr, scores.columns,
                 [&](std::int64_t c) { return scores(r, c); }, make_box, make_points);
    }
  }
  return candidates;
}

}  // namespace fovea::task
