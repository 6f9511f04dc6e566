// SPDX-License-Identifier: Apache-2.0
// Files in COCO's JSON form: the truth (images, categories, boxes) and detections. Both come from strangers: what
// refers to an unknown image or category is an error that names it.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/check.h"

namespace fovea::metrics {

struct CocoImage {
  std::int64_t id = 0;
  std::string file_name;
  std::int64_t width = 0, height = 0;  ///< in pixels; 0: not said
};

struct CocoCategory {
  std::int64_t id = 0;
  std::string name;
};

/// Boxes are x, y, width, height in pixels.
struct TruthBox {
  std::int64_t image = 0, category = 0;
  std::array<double, 4> box{};
  double area = 0;      ///< of the object, which decides its size class
  bool crowd = false;   ///< a region of many: it may be found any number of times, and need not be found
};

struct DetectedBox {
  std::int64_t image = 0, category = 0;
  std::array<double, 4> box{};
  double score = 0;
};

struct CocoTruth {
  std::vector<CocoImage> images;
  std::vector<CocoCategory> categories;
  std::vector<TruthBox> boxes;
};

/// NotFound, InvalidModel (malformed JSON, missing fields, unknown image or category ids, ids that stand twice,
/// boxes without an extent).
Result<CocoTruth> read_coco_truth(const std::filesystem::path& file);
/// A list of {"image_id", "category_id", "bbox", "score"}; ids must be in `truth`.
Result<std::vector<DetectedBox>> read_coco_detections(const std::filesystem::path& file, const CocoTruth& truth);
/// The same form, for other tools.
std::string to_coco_json(const std::vector<DetectedBox>& detections);

}  // namespace fovea::metrics
