// SPDX-License-Identifier: Apache-2.0
// The evaluation in three steps: match detections with objects in every image, line up all images' detections of a
// category by score, average. Figures equal pycocotools' to rounding: the same thresholds, orders and comparisons.
#include "metrics/coco_score.h"

#include <algorithm>
#include <limits>
#include <map>
#include <numeric>

namespace fovea::metrics {

namespace {

constexpr int kThresholds = 10, kRecalls = 101, kSizes = 4, kLimits = 3;
constexpr std::array<std::size_t, kLimits> kMostDetections = {1, 10, 100};
constexpr std::array<std::array<double, 2>, kSizes> kAreas = {{{0, 1e10}, {0, 32 * 32}, {32 * 32, 96 * 96}, {96 * 96, 1e10}}};

// As numpy's linspace makes them: 0.5 to 0.95, and 0 to 1.
double iou_threshold(int t) { return t * ((0.95 - 0.5) / (kThresholds - 1)) + 0.5; }
double recall_point(int r) { return r == kRecalls - 1 ? 1.0 : r * (1.0 / (kRecalls - 1)); }

struct ImageBoxes {
  std::vector<const TruthBox*> truth;
  std::vector<const DetectedBox*> found;  // by falling score, at most 100
};

/// What became of the detections of one image at one size class, by falling score.
struct Matches {
  std::vector<double> scores;
  std::array<std::vector<char>, kThresholds> matched, ignored;
  std::int64_t objects = 0;  // that count
};

/// With a crowd the share of the detection that lies in it.
double overlap(const DetectedBox& found, const TruthBox& truth) {
  const auto& d = found.box;
  const auto& g = truth.box;
  const double w = std::min(d[0] + d[2], g[0] + g[2]) - std::max(d[0], g[0]);
  const double h = std::min(d[1] + d[3], g[1] + g[3]) - std::max(d[1], g[1]);
  if (w <= 0 || h <= 0) return 0;
  const double both = w * h, area = d[2] * d[3];
  return both / (truth.crowd ? area : area + g[2] * g[3] - both);
}

bool outside(double area, int size) { return area < kAreas[static_cast<std::size_t>(size)][0] || area > kAreas[static_cast<std::size_t>(size)][1]; }

Matches match(const ImageBoxes& boxes, int size) {
  Matches result;
  // Objects that count come first: a detection prefers them.
  std::vector<std::pair<const TruthBox*, bool>> truth;
  for (const TruthBox* box : boxes.truth) truth.emplace_back(box, box->crowd || outside(box->area, size));
  std::stable_sort(truth.begin(), truth.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
  result.objects = std::count_if(truth.begin(), truth.end(), [](const auto& t) { return !t.second; });
  for (const DetectedBox* box : boxes.found) result.scores.push_back(box->score);

  std::vector<double> overlaps;
  for (const DetectedBox* found : boxes.found) {
    for (const auto& [box, ignored] : truth) overlaps.push_back(overlap(*found, *box));
  }
  for (int t = 0; t < kThresholds; ++t) {
    std::vector<char> taken(truth.size(), 0);
    auto& matched = result.matched[static_cast<std::size_t>(t)];
    auto& ignored = result.ignored[static_cast<std::size_t>(t)];
    for (std::size_t d = 0; d < boxes.found.size(); ++d) {
      double best = std::min(iou_threshold(t), 1 - 1e-10);
      std::ptrdiff_t chosen = -1;
      for (std::size_t g = 0; g < truth.size(); ++g) {
        if (taken[g] && !truth[g].first->crowd) continue;
        if (chosen >= 0 && !truth[static_cast<std::size_t>(chosen)].second && truth[g].second) break;
        const double here = overlaps[d * truth.size() + g];
        if (here < best) continue;
        best = here;
        chosen = static_cast<std::ptrdiff_t>(g);
      }
      if (chosen >= 0) taken[static_cast<std::size_t>(chosen)] = 1;
      const bool hit = chosen >= 0;
      const double area = boxes.found[d]->box[2] * boxes.found[d]->box[3];
      matched.push_back(hit);
      ignored.push_back(hit ? truth[static_cast<std::size_t>(chosen)].second : outside(area, size));
    }
  }
  return result;
}

/// Precision at the recall points, and the last recall, of one category, size, threshold and limit.
struct Curve {
  std::array<double, kRecalls> precision{};
  double recall = 0;
};

Curve curve_of(const std::vector<Matches>& images, int threshold, std::size_t limit, std::int64_t objects) {
  struct Entry {
    double score;
    bool matched, ignored;
  };
  std::vector<Entry> entries;
  for (const Matches& image : images) {
    const auto t = static_cast<std::size_t>(threshold);
    for (std::size_t d = 0; d < std::min(limit, image.scores.size()); ++d) {
      entries.push_back({image.scores[d], image.matched[t][d] != 0, image.ignored[t][d] != 0});
    }
  }
  std::stable_sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) { return a.score > b.score; });
  std::vector<double> recalls, precisions;
  double right = 0, wrong = 0;
  for (const Entry& entry : entries) {
    if (!entry.ignored) (entry.matched ? right : wrong) += 1;
    recalls.push_back(right / static_cast<double>(objects));
    precisions.push_back(right / (right + wrong + std::numeric_limits<double>::epsilon()));
  }
  for (std::size_t i = precisions.size(); i > 1; --i) precisions[i - 2] = std::max(precisions[i - 2], precisions[i - 1]);
  Curve curve;
  curve.recall = recalls.empty() ? 0 : recalls.back();
  for (int r = 0; r < kRecalls; ++r) {
    const auto at = std::lower_bound(recalls.begin(), recalls.end(), recall_point(r)) - recalls.begin();
    if (static_cast<std::size_t>(at) == recalls.size()) break;
    curve.precision[static_cast<std::size_t>(r)] = precisions[static_cast<std::size_t>(at)];
  }
  return curve;
}

/// Mean of what there is; -1 of nothing.
class Mean {
 public:
  void add(double value) { sum_ += value, ++count_; }
  double value() const { return count_ ? sum_ / static_cast<double>(count_) : -1; }

 private:
  double sum_ = 0;
  std::int64_t count_ = 0;
};

using ByImage = std::map<std::int64_t, ImageBoxes>;

std::map<std::int64_t, ByImage> by_category(const CocoTruth& truth, const std::vector<DetectedBox>& detections) {
  std::map<std::int64_t, ByImage> groups;
  for (const TruthBox& box : truth.boxes) groups[box.category][box.image].truth.push_back(&box);
  for (const DetectedBox& box : detections) groups[box.category][box.image].found.push_back(&box);
  for (auto& [category, images] : groups) {
    for (auto& [image, boxes] : images) {
      std::stable_sort(boxes.found.begin(), boxes.found.end(), [](const DetectedBox* a, const DetectedBox* b) { return a->score > b->score; });
      boxes.found.resize(std::min(boxes.found.size(), kMostDetections.back()));
    }
  }
  return groups;
}

}  // namespace

CocoScore score_coco(const CocoTruth& truth, const std::vector<DetectedBox>& detections) {
  const auto groups = by_category(truth, detections);
  std::vector<CocoCategory> categories = truth.categories;
  std::sort(categories.begin(), categories.end(), [](const auto& a, const auto& b) { return a.id < b.id; });

  CocoScore score;
  Mean ap[kSizes], ap50, ap75, recall_by_limit[kLimits], recall_by_size[kSizes];
  for (const CocoCategory& category : categories) {
    const auto group = groups.find(category.id);
    CocoScore::Category row{category.id, category.name};
    Mean own, own50;
    for (int size = 0; size < kSizes && group != groups.end(); ++size) {
      std::vector<Matches> images;
      std::int64_t objects = 0;
      for (const auto& [image, boxes] : group->second) {
        images.push_back(match(boxes, size));
        objects += images.back().objects;
      }
      if (size == 0) row.objects = objects;
      if (objects == 0) continue;
      for (int t = 0; t < kThresholds; ++t) {
        for (int limit = 0; limit < kLimits; ++limit) {
          if (size != 0 && limit != kLimits - 1) continue;
          const Curve curve = curve_of(images, t, kMostDetections[static_cast<std::size_t>(limit)], objects);
          if (size == 0) recall_by_limit[limit].add(curve.recall);
          if (limit != kLimits - 1) continue;
          if (size != 0) recall_by_size[size].add(curve.recall);
          for (const double precision : curve.precision) {
            ap[size].add(precision);
            if (size != 0) continue;
            own.add(precision);
            if (t == 0) ap50.add(precision), own50.add(precision);
            if (t == 5) ap75.add(precision);
          }
        }
      }
    }
    row.ap = own.value();
    row.ap50 = own50.value();
    score.categories.push_back(std::move(row));
  }
  score.figures = {ap[0].value(),
                   ap50.value(),
                   ap75.value(),
                   ap[1].value(),
                   ap[2].value(),
                   ap[3].value(),
                   recall_by_limit[0].value(),
                   recall_by_limit[1].value(),
                   recall_by_limit[2].value(),
                   recall_by_size[1].value(),
                   recall_by_size[2].value(),
                   recall_by_size[3].value()};
  return score;
}

}  // namespace fovea::metrics
