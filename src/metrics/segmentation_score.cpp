// SPDX-License-Identifier: Apache-2.0
#include "metrics/segmentation_score.h"

namespace fovea::metrics {

Status SegmentationScore::add(std::span<const std::int32_t> found, std::span<const std::int32_t> truth) {
  if (found.size() != truth.size()) return invalid_argument("the map has ", found.size(), " pixels, its truth ", truth.size());
  for (std::size_t i = 0; i < truth.size(); ++i) {
    if (truth[i] == ignored_) continue;
    ++classes_[truth[i]].truth;
    ++classes_[found[i]].found;
    if (found[i] == truth[i]) ++classes_[truth[i]].both;
  }
  return {};
}

double SegmentationScore::mean_iou() const {
  double sum = 0;
  for (const auto& [id, row] : classes_) sum += row.iou();
  return classes_.empty() ? 0 : sum / static_cast<double>(classes_.size());
}

double SegmentationScore::pixel_accuracy() const {
  std::int64_t right = 0, all = 0;
  for (const auto& [id, row] : classes_) right += row.both, all += row.truth;
  return all ? static_cast<double>(right) / static_cast<double>(all) : 0;
}

}  // namespace fovea::metrics
