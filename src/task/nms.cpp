// SPDX-License-Identifier: Apache-2.0
#include "task/nms.h"

#include <algorithm>

namespace fovea::task {

double iou(const std::array<double, 4>& a, const std::array<double, 4>& b) {
  const double width = std::min(a[2], b[2]) - std::max(a[0], b[0]), height = std::min(a[3], b[3]) - std::max(a[1], b[1]);
  if (!(width > 0 && height > 0)) return 0;
  const double both = width * height;
  return both / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - both);
}

std::vector<Candidate> select_best(std::vector<Candidate> candidates, const std::optional<Nms>& nms, int max_kept) {
  std::stable_sort(candidates.begin(), candidates.end(), [](const Candidate& a, const Candidate& b) { return a.score > b.score; });
  // A network gone wild scores every box; the tail would only cost time.
  constexpr std::size_t kMaxCandidates = 30000;
  if (candidates.size() > kMaxCandidates) candidates.resize(kMaxCandidates);
  std::vector<Candidate> kept;
  for (Candidate& candidate : candidates) {
    if (static_cast<int>(kept.size()) >= max_kept) break;
    const auto suppresses = [&](const Candidate& better) {
      if (nms->class_aware && better.class_id != candidate.class_id) return false;
      const double overlap = iou(better.box, candidate.box);
      return overlap > nms->iou || (nms->inclusive && overlap == nms->iou);
    };
    const bool suppressed = nms && std::any_of(kept.begin(), kept.end(), suppresses);
    if (!suppressed) kept.push_back(std::move(candidate));
  }
  return kept;
}

}  // namespace fovea::task
