// SPDX-License-Identifier: Apache-2.0
// `fovea val` of detections: COCO's twelve figures.
#include <cstdio>
#include <filesystem>
#include <map>
#include <optional>
#include <set>

#include "base/check.h"
#include "base/file.h"
#include "cli/val.h"
#include "metrics/coco_score.h"

namespace fovea::cli {

namespace {

namespace fs = std::filesystem;
using metrics::CocoScore;
using metrics::CocoTruth;
using metrics::DetectedBox;

/// The category of a network's class.
class CategoryOf {
 public:
  CategoryOf(const CocoTruth& truth, bool by_id) : by_id_(by_id) {
    for (const metrics::CocoCategory& category : truth.categories) {
      ids_.insert(category.id);
      by_name_.emplace(category.name, category.id);
    }
  }
  /// Nothing for a class that has none: an id that the annotations do not know, or a class the recipe does not name.
  /// InvalidArgument for a name that they do not know.
  Result<std::optional<std::int64_t>> operator()(const task::Detection& detection) const {
    if (by_id_) return ids_.count(detection.class_id) ? std::optional<std::int64_t>(detection.class_id) : std::nullopt;
    const auto found = by_name_.find(detection.label);
    if (found != by_name_.end()) return std::optional(found->second);
    if (detection.label == str_cat("class ", detection.class_id)) return std::optional<std::int64_t>();
    std::string known;
    for (const auto& [name, id] : by_name_) known += str_cat(known.empty() ? "" : ", ", "'", name, "'");
    return invalid_argument("label '", detection.label, "' of the network is no category of the annotations")
        .with_hint(str_cat("categories: ", known.substr(0, 200), "; --match id matches class numbers with category ids"));
  }

 private:
  bool by_id_;
  std::set<std::int64_t> ids_;
  std::map<std::string, std::int64_t> by_name_;
};

/// Pictures of another size than the annotations say: scored, for the sizes play no part, but the boxes may be of another picture.
class SizeWatch {
 public:
  void add(const metrics::CocoImage& image, const PictureRun& run) {
    if (image.width == 0 || (image.width == run.width() && image.height == run.height())) return;
    if (count_++ == 0) first_ = str_cat(image.file_name, ": expected ", image.width, "x", image.height, ", found ", run.width(), "x", run.height());
  }
  void warn(const std::string& annotations) const {
    if (count_ > 0) std::fprintf(stderr, "warning: %s: %zu pictures of other sizes, first %s\n", annotations.c_str(), count_, first_.c_str());
  }

 private:
  std::size_t count_ = 0;
  std::string first_;
};

/// Detections of classes without a category are left out, as pycocotools leaves them out, and counted.
Result<std::vector<DetectedBox>> detect(PictureRun& run, CocoTruth& truth, const ValArguments& arguments, std::size_t& left_out) {
  SizeWatch sizes;
  FOVEA_RETURN_IF_ERROR(run.task(task::Prediction::Kind::Detections).status());
  const CategoryOf category_of(truth, arguments.match == "id");
  std::vector<DetectedBox> boxes;
  std::set<std::int64_t> done;
  for (const metrics::CocoImage& image : truth.images) {
    if (run.enough()) break;
    const fs::path file = fs::path(arguments.images) / image.file_name;
    FOVEA_ASSIGN(const task::Prediction prediction, run.predict(file.string(), arguments.annotations));
    sizes.add(image, run);
    for (const task::Detection& d : prediction.detections) {
      const auto matched = category_of(d);
      if (!matched.ok()) return Status(matched.status()).with_context(arguments.annotations);
      const std::optional<std::int64_t>& category = *matched;
      if (!category) {
        ++left_out;
        continue;
      }
      const auto& b = d.box;
      boxes.push_back({image.id, *category, {b[0], b[1], double{b[2]} - b[0], double{b[3]} - b[1]}, d.score});
    }
    done.insert(image.id);
  }
  sizes.warn(arguments.annotations);
  if (boxes.empty() && left_out > 0) {
    return invalid_argument(arguments.annotations, ": none of ", left_out, " detections is of a class with a category").with_hint("--match says how classes find their categories");
  }
  std::erase_if(truth.boxes, [&](const metrics::TruthBox& box) { return !done.count(box.image); });  // with --limit
  std::erase_if(truth.images, [&](const metrics::CocoImage& image) { return !done.count(image.id); });
  return boxes;
}

void print(const CocoScore& score, std::size_t pictures, std::size_t detections) {
  std::printf("%zu pictures, %zu detections\n\n%-24s %8s %8s %8s\n", pictures, detections, "category", "objects", "AP", "AP50");
  for (const CocoScore::Category& row : score.categories) {
    if (row.objects > 0) std::printf("%-24s %8lld %8.4f %8.4f\n", row.name.c_str(), static_cast<long long>(row.objects), row.ap, row.ap50);
  }
  std::printf("\n");
  for (std::size_t i = 0; i < score.figures.size(); ++i) std::printf("%-6s %7.4f%s", CocoScore::kNames[i], score.figures[i], i % 6 == 5 ? "\n" : "   ");
}

}  // namespace

Result<nlohmann::json> val_detections(task::Predictor* predictor, const ValArguments& arguments) {
  FOVEA_ASSIGN(CocoTruth truth, metrics::read_coco_truth(arguments.annotations));
  if (truth.images.empty()) return invalid_model(arguments.annotations, ": images: expected at least one, found none");
  if (truth.boxes.empty()) return invalid_model(arguments.annotations, ": annotations: expected at least one, found none");
  std::vector<DetectedBox> boxes;
  nlohmann::json figures;
  if (predictor) {
    PictureRun run(*predictor, arguments, truth.images.size());
    std::size_t left_out = 0;
    FOVEA_ASSIGN(boxes, detect(run, truth, arguments, left_out));
    figures["network_ms"] = run.milliseconds();
    figures["left_out"] = left_out;
    if (left_out > 0 && arguments.common.json != "-") std::printf("%zu detections of classes without a category left out\n", left_out);
  } else {
    FOVEA_ASSIGN(boxes, metrics::read_coco_detections(arguments.detections, truth));
  }
  if (!arguments.write_detections.empty()) {
    FOVEA_RETURN_IF_ERROR(write_file_atomically(arguments.write_detections, metrics::to_coco_json(boxes)));
  }
  const CocoScore score = metrics::score_coco(truth, boxes);
  if (arguments.common.json != "-") print(score, truth.images.size(), boxes.size());
  figures["kind"] = "detection";
  figures["pictures"] = truth.images.size();
  figures["detections"] = boxes.size();
  for (std::size_t i = 0; i < score.figures.size(); ++i) figures[CocoScore::kNames[i]] = score.figures[i];
  for (const CocoScore::Category& row : score.categories) {
    figures["categories"].push_back({{"id", row.id}, {"name", row.name}, {"objects", row.objects}, {"AP", row.ap}, {"AP50", row.ap50}});
  }
  return figures;
}

}  // namespace fovea::cli
