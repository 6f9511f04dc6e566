// SPDX-License-Identifier: Apache-2.0
// `fovea val` of segmentations and depth maps.
#include <algorithm>
#include <cstdio>
#include <filesystem>

#include "base/check.h"
#include "base/npy.h"
#include "cli/val.h"
#include "image/class_map.h"
#include "metrics/depth_score.h"
#include "metrics/segmentation_score.h"

namespace fovea::cli {

namespace {

namespace fs = std::filesystem;

/// Files of a folder with one of the endings, sorted; their stems name the pictures.
Result<std::vector<fs::path>> files_of(const std::string& folder, std::initializer_list<std::string_view> endings) {
  std::error_code error;
  std::vector<fs::path> files;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    const std::string ending = it->path().extension().string();
    if (std::find(endings.begin(), endings.end(), ending) != endings.end()) files.push_back(it->path());
  }
  if (error) return not_found(folder, ": ", error.message());
  std::sort(files.begin(), files.end());
  return files;
}

struct Pair {
  fs::path truth, picture;
};

/// Each file of the truth with the picture of the same stem.
Result<std::vector<Pair>> pairs_of(const std::string& truths, std::string_view ending, const std::string& images) {
  FOVEA_ASSIGN(const std::vector<fs::path> truth, files_of(truths, {ending}));
  FOVEA_ASSIGN(const std::vector<fs::path> pictures, files_of(images, {".jpg", ".jpeg", ".png", ".bmp", ".ppm", ".JPG", ".JPEG", ".PNG"}));
  if (truth.empty()) return not_found(truths, ": expected ", ending, " files, found none");
  std::vector<Pair> pairs;
  for (const fs::path& file : truth) {
    const auto is_its = [&](const fs::path& picture) { return picture.stem() == file.stem(); };
    const auto found = std::find_if(pictures.begin(), pictures.end(), is_its);
    if (found == pictures.end()) return not_found(file.string(), ": no picture with this name in ", images);
    const auto other = std::find_if(found + 1, pictures.end(), is_its);
    if (other != pictures.end()) return invalid_model(file.string(), ": expected one picture with this name, found ", found->string(), " and ", other->string());
    pairs.push_back({file, *found});
  }
  return pairs;
}

Result<image::ClassMap> read_mask(const fs::path& file, int width, int height) {
  FOVEA_ASSIGN(image::ClassMap mask, image::read_class_map(file));
  if (mask.width != width || mask.height != height) {
    return invalid_model(file.string(), ": expected ", width, "x", height, " like the picture, found ", mask.width, "x", mask.height);
  }
  return mask;
}

/// Numbers in a mask must be classes of the network. `classes` 0: unknown.
Status check_mask(const image::ClassMap& mask, std::int64_t classes, int ignored) {
  if (classes == 0) return {};
  const auto strange = std::find_if(mask.classes.begin(), mask.classes.end(), [&](std::int32_t id) { return id >= classes && id != ignored; });
  if (strange == mask.classes.end()) return {};
  const auto at = strange - mask.classes.begin();
  return invalid_model("expected classes 0 to ", classes - 1, " and ", ignored, " for pixels that do not count, found ", *strange, " at x ", at % mask.width, ", y ", at / mask.width)
      .with_hint("masks hold the numbers the network was trained on; --ignore NUMBER says which one does not count");
}

}  // namespace

Result<nlohmann::json> val_segmentation(task::Predictor& predictor, const ValArguments& arguments) {
  FOVEA_ASSIGN(const std::vector<Pair> pairs, pairs_of(arguments.masks, ".png", arguments.images));
  PictureRun run(predictor, arguments, pairs.size());
  metrics::SegmentationScore score(arguments.ignored);
  FOVEA_ASSIGN(const task::TaskInfo* task, run.task(task::Prediction::Kind::Segmentation));
  std::int64_t pictures = 0;
  for (const Pair& pair : pairs) {
    if (run.enough()) break;
    FOVEA_ASSIGN(const task::Prediction prediction, run.predict(pair.picture.string()));
    const task::SegmentationMap& map = prediction.segmentation;
    FOVEA_ASSIGN(task, run.task(task::Prediction::Kind::Segmentation));
    FOVEA_ASSIGN(const image::ClassMap truth, read_mask(pair.truth, map.width, map.height));
    FOVEA_RETURN_IF_ERROR(check_mask(truth, task->classes, arguments.ignored).with_context(pair.truth.string()));
    FOVEA_RETURN_IF_ERROR(score.add(map.classes, truth.classes).with_context(pair.truth.string()));
    ++pictures;
  }
  nlohmann::json figures = {{"kind", "segmentation"}, {"pictures", pictures}, {"mean_iou", score.mean_iou()}, {"pixel_accuracy", score.pixel_accuracy()},
                            {"network_ms", run.milliseconds()}};
  if (arguments.common.json != "-") std::printf("%lld pictures\n\n%-24s %8s %12s\n", static_cast<long long>(pictures), "class", "IoU", "pixels");
  for (const auto& [id, row] : score.classes()) {
    const auto index = static_cast<std::size_t>(id);
    const std::string label = id >= 0 && index < task->labels.size() && !task->labels[index].empty() ? task->labels[index] : std::to_string(id);
    figures["classes"].push_back({{"class_id", id}, {"label", label}, {"iou", row.iou()}, {"pixels", row.truth}});
    if (arguments.common.json != "-") std::printf("%-24s %8.4f %12lld\n", label.c_str(), row.iou(), static_cast<long long>(row.truth));
  }
  if (arguments.common.json != "-") std::printf("\nmean IoU %7.4f   pixel accuracy %7.4f\n", score.mean_iou(), score.pixel_accuracy());
  return figures;
}

Result<nlohmann::json> val_depth(task::Predictor& predictor, const ValArguments& arguments) {
  FOVEA_ASSIGN(const std::vector<Pair> pairs, pairs_of(arguments.depths, ".npy", arguments.images));
  PictureRun run(predictor, arguments, pairs.size());
  FOVEA_RETURN_IF_ERROR(run.task(task::Prediction::Kind::Depth).status());
  metrics::DepthScore score({arguments.min_depth, arguments.max_depth, arguments.scale_to_median});
  for (const Pair& pair : pairs) {
    if (run.enough()) break;
    FOVEA_ASSIGN(const task::Prediction prediction, run.predict(pair.picture.string()));
    FOVEA_ASSIGN(const Tensor truth, read_npy(pair.truth));
    const task::DepthMap& map = prediction.depth;
    if (truth.type() != DataType::f32 || !(truth.shape() == Shape{map.height, map.width})) {
      return invalid_argument(pair.truth.string(), ": expected f32 ", map.height, "x", map.width, " like the picture, found ", name(truth.type()), " ", truth.shape().to_string());
    }
    FOVEA_RETURN_IF_ERROR(score.add(map.values, truth.values<float>()).with_context(pair.truth.string()));
  }
  if (arguments.common.json != "-") {
    std::printf("%lld pictures\nAbsRel  %8.4f\nRMSE    %8.4f\ndelta1  %8.4f\ndelta2  %8.4f\ndelta3  %8.4f\n", static_cast<long long>(score.pictures()), score.abs_rel(), score.rmse(),
                score.delta(1), score.delta(2), score.delta(3));
  }
  return nlohmann::json{{"kind", "depth"}, {"pictures", score.pictures()}, {"abs_rel", score.abs_rel()}, {"rmse", score.rmse()},
                        {"delta1", score.delta(1)}, {"delta2", score.delta(2)}, {"delta3", score.delta(3)}, {"network_ms", run.milliseconds()}};
}

}  // namespace fovea::cli
