// SPDX-License-Identifier: Apache-2.0
// What the decoders of detection heads share: box arithmetic, and the step from raw scores to candidates.
#pragma once

#include <algorithm>
#include <cmath>

#include "task/coordinates.h"
#include "task/decode_boxes.h"
#include "task/output_fit.h"

namespace fovea::task {

using Box = std::array<double, 4>;
using Points = std::vector<std::pair<double, double>>;

inline Box to_corners(const Box& b, BoxFormat format) {
  switch (format) {
    case BoxFormat::Xyxy: return b;
    case BoxFormat::Cxcywh: return {b[0] - b[2] / 2, b[1] - b[3] / 2, b[0] + b[2] / 2, b[1] + b[3] / 2};
    case BoxFormat::Xywh: return {b[0], b[1], b[0] + b[2], b[1] + b[3]};
  }
  return b;
}

inline Box scaled(const Box& b, double x, double y) { return {b[0] * x, b[1] * y, b[2] * x, b[3] * y}; }

/// Turns raw scores of one box into candidates. One object per decode call, so its buffer is reused.
class Scorer {
 public:
  Scorer(const ScoreRule& rule, double threshold, std::vector<Candidate>& into) : rule_(rule), threshold_(threshold), into_(into) {}

  /// `make_box` is called only when a score passes, `make_points` too.
  template <class Class, class MakeBox, class MakePoints>
  void add(double objectness, bool has_objectness, std::int64_t classes, Class raw_class, MakeBox make_box, MakePoints make_points) {
    double object = 1;
    if (has_objectness) {
      if (rule_.activation != Activation::None) activate(Activation::Sigmoid, std::span(&objectness, 1));
      object = std::pow(std::max(objectness, 0.0), rule_.objectness_exponent);
      // Activated class scores are at most 1, so most boxes end here.
      if (object <= 0 || (rule_.activation != Activation::None && object < threshold_)) return;
    }
    scores_.resize(static_cast<std::size_t>(classes));
    for (std::int64_t c = 0; c < classes; ++c) scores_[static_cast<std::size_t>(c)] = raw_class(c);
    activate(rule_.activation, scores_);
    int best = -1;
    double best_score = 0;
    for (std::int64_t c = 0; c < classes; ++c) {
      if (rule_.background && *rule_.background == c) continue;
      const double raw = std::max(scores_[static_cast<std::size_t>(c)], 0.0);
      const double score = object * (rule_.class_exponent == 1 ? raw : std::pow(raw, rule_.class_exponent));
      if (!(score >= threshold_)) continue;
      if (rule_.multi_label) emit(static_cast<int>(c), score, make_box, make_points);
      if (best < 0 || score > best_score) best = static_cast<int>(c), best_score = score;
    }
    if (best >= 0 && !rule_.multi_label) emit(best, best_score, make_box, make_points);
  }

 private:
  template <class MakeBox, class MakePoints>
  void emit(int class_id, double score, MakeBox make_box, MakePoints make_points) {
    const Box box = make_box();
    if (!std::all_of(box.begin(), box.end(), [](double v) { return std::isfinite(v); })) return;
    const int shift = rule_.background && *rule_.background < class_id ? 1 : 0;
    into_.push_back({box, score, class_id - shift, make_points()});
  }

  const ScoreRule& rule_;
  double threshold_;
  std::vector<Candidate>& into_;
  std::vector<double> scores_;
};

inline Points no_points() { return {}; }

}  // namespace fovea::task
