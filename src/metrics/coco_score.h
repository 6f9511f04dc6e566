// SPDX-License-Identifier: Apache-2.0
// COCO's twelve figures for detections: average precision and recall over IoU thresholds, object sizes and numbers of
// detections, by the rules of the COCO evaluation (Lin et al., "Microsoft COCO", 2014; cocodataset.org, "Detection
// evaluation"): greedy matching by falling score, crowd regions and objects of other sizes ignored, precision made
// monotone and read at 101 recalls.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "metrics/coco_file.h"

namespace fovea::metrics {

struct CocoScore {
  /// AP, AP50, AP75, APs, APm, APl, AR1, AR10, AR100, ARs, ARm, ARl; -1 where there is nothing to find.
  std::array<double, 12> figures{};
  static constexpr std::array<const char*, 12> kNames = {"AP",  "AP50", "AP75",  "APs", "APm", "APl",
                                                         "AR1", "AR10", "AR100", "ARs", "ARm", "ARl"};
  struct Category {
    std::int64_t id = 0;
    std::string name;
    double ap = -1, ap50 = -1;
    std::int64_t objects = 0;  ///< without crowds
  };
  std::vector<Category> categories;  ///< by id
};

CocoScore score_coco(const CocoTruth& truth, const std::vector<DetectedBox>& detections);

}  // namespace fovea::metrics
