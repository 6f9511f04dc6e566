// SPDX-License-Identifier: Apache-2.0
// Candidates and non-maximum suppression.
#pragma once

#include <array>
#include <utility>
#include <vector>

#include "task/recipe.h"

namespace fovea::task {

/// A box before suppression: as decoders make it in the coordinates of its recipe, then brought to the picture.
struct Candidate {
  std::array<double, 4> box{};  ///< x1 y1 x2 y2
  double score = 0;
  int class_id = 0;
  std::vector<std::pair<double, double>> keypoints;
};

/// Intersection over union; 0 for empty boxes.
double iou(const std::array<double, 4>& a, const std::array<double, 4>& b);

/// Sorts by score (ties keep their order) and keeps the best `max_kept` that overlap no better one of the same class
/// (of any class when not class-aware) by more than nms.iou, or by just that where nms is inclusive.
std::vector<Candidate> select_best(std::vector<Candidate> candidates, const std::optional<Nms>& nms, int max_kept);

}  // namespace fovea::task
