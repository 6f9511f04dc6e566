// SPDX-License-Identifier: Apache-2.0
// `fovea val` of classes, segmentations and depth maps.
#include <algorithm>
#include <charconv>
#include <cstdio>
#include <filesystem>
#include <sstream>

#include "base/check.h"
#include "base/file.h"
#include "base/npy.h"
#include "cli/val.h"
#include "metrics/class_score.h"
#include "metrics/depth_score.h"
#include "metrics/segmentation_score.h"

namespace fovea::cli {

namespace {

namespace fs = std::filesystem;

struct Labelled {
  std::string file, label;
};

/// Lines "picture label"; the label may hold spaces. Relative names start at --images, or at the list's folder.
Result<std::vector<Labelled>> read_labels(const ValArguments& arguments) {
  FOVEA_ASSIGN(const std::string text, read_file(arguments.labels));
  const fs::path folder = arguments.images.empty() ? fs::path(arguments.labels).parent_path() : fs::path(arguments.images);
  std::vector<Labelled> rows;
  std::istringstream lines(text);
  int number = 0;
  for (std::string line; std::getline(lines, line);) {
    ++number;
    if (!line.empty() && line.back() == '\r') line.pop_back();
    if (line.empty() || line[0] == '#') continue;
    const std::size_t space = line.find_first_of(" \t,");
    const std::size_t label = space == std::string::npos ? space : line.find_first_not_of(" \t,", space);
    if (label == std::string::npos) return invalid_model(arguments.labels, ":", number, ": expected 'picture label', found '", line.substr(0, 60), "'");
    rows.push_back({(folder / line.substr(0, space)).string(), line.substr(label)});
  }
  if (rows.empty()) return invalid_model(arguments.labels, ": expected lines 'picture label', found none");
  return rows;
}

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
    const auto found = std::find_if(pictures.begin(), pictures.end(), [&](const fs::path& picture) { return picture.stem() == file.stem(); });
    if (found == pictures.end()) return not_found(file.string(), ": no picture with this name in ", images);
    pairs.push_back({file, *found});
  }
  return pairs;
}

/// The class number of a label: the number it is, or that of the label with this name.
int class_of(const std::string& label, const std::vector<task::ClassScore>& classes) {
  int number = 0;
  const auto [end, error] = std::from_chars(label.data(), label.data() + label.size(), number);
  if (error == std::errc() && end == label.data() + label.size()) return number;
  const auto found = std::find_if(classes.begin(), classes.end(), [&](const task::ClassScore& row) { return row.label == label; });
  return found == classes.end() ? -1 : found->class_id;
}

Result<std::vector<std::int32_t>> read_mask(const fs::path& file, int width, int height) {
  FOVEA_ASSIGN(const image::Picture mask, image::read_picture(file));
  if (mask.width != width || mask.height != height) {
    return invalid_argument(file.string(), ": expected ", width, "x", height, " like the picture, found ", mask.width, "x", mask.height);
  }
  std::vector<std::int32_t> classes(mask.pixels.size() / 3);
  for (std::size_t i = 0; i < classes.size(); ++i) {
    const std::uint8_t* const pixel = mask.pixels.data() + 3 * i;
    if (pixel[0] != pixel[1] || pixel[0] != pixel[2]) return invalid_model(file.string(), ": expected a grey picture of class numbers, found colours");
    classes[i] = pixel[0];
  }
  return classes;
}

}  // namespace

Result<nlohmann::json> val_classes(task::Predictor& predictor, const ValArguments& arguments) {
  FOVEA_ASSIGN(const std::vector<Labelled> rows, read_labels(arguments));
  PictureRun run(predictor, arguments, rows.size());
  metrics::ClassScore score;
  for (const Labelled& row : rows) {
    if (run.enough()) break;
    FOVEA_ASSIGN(const task::Prediction prediction, run.predict(row.file, task::Prediction::Kind::Classes));
    std::vector<int> ranked;
    for (const task::ClassScore& found : prediction.classes) ranked.push_back(found.class_id);
    score.add(ranked, class_of(row.label, prediction.classes));
  }
  if (arguments.common.json != "-") {
    std::printf("%lld pictures\ntop-1 %7.4f\ntop-5 %7.4f\n", static_cast<long long>(score.pictures()), score.top1(), score.top5());
  }
  return nlohmann::json{{"kind", "classification"}, {"pictures", score.pictures()}, {"top1", score.top1()}, {"top5", score.top5()}, {"network_ms", run.milliseconds()}};
}

Result<nlohmann::json> val_segmentation(task::Predictor& predictor, const ValArguments& arguments) {
  FOVEA_ASSIGN(const std::vector<Pair> pairs, pairs_of(arguments.masks, ".png", arguments.images));
  PictureRun run(predictor, arguments, pairs.size());
  metrics::SegmentationScore score(arguments.ignored);
  std::map<int, std::string> labels;
  std::int64_t pictures = 0;
  for (const Pair& pair : pairs) {
    if (run.enough()) break;
    FOVEA_ASSIGN(const task::Prediction prediction, run.predict(pair.picture.string(), task::Prediction::Kind::Segmentation));
    const task::SegmentationMap& map = prediction.segmentation;
    for (const task::ClassScore& share : map.shares) labels[share.class_id] = share.label;
    FOVEA_ASSIGN(const auto truth, read_mask(pair.truth, map.width, map.height));
    FOVEA_RETURN_IF_ERROR(score.add(map.classes, truth).with_context(pair.truth.string()));
    ++pictures;
  }
  nlohmann::json figures = {{"kind", "segmentation"}, {"pictures", pictures}, {"mean_iou", score.mean_iou()}, {"pixel_accuracy", score.pixel_accuracy()},
                            {"network_ms", run.milliseconds()}};
  if (arguments.common.json != "-") std::printf("%lld pictures\n\n%-24s %8s %12s\n", static_cast<long long>(pictures), "class", "IoU", "pixels");
  for (const auto& [id, row] : score.classes()) {
    const std::string label = labels.count(id) && !labels[id].empty() ? labels[id] : std::to_string(id);
    figures["classes"].push_back({{"class_id", id}, {"label", label}, {"iou", row.iou()}, {"pixels", row.truth}});
    if (arguments.common.json != "-") std::printf("%-24s %8.4f %12lld\n", label.c_str(), row.iou(), static_cast<long long>(row.truth));
  }
  if (arguments.common.json != "-") std::printf("\nmean IoU %7.4f   pixel accuracy %7.4f\n", score.mean_iou(), score.pixel_accuracy());
  return figures;
}

Result<nlohmann::json> val_depth(task::Predictor& predictor, const ValArguments& arguments) {
  FOVEA_ASSIGN(const std::vector<Pair> pairs, pairs_of(arguments.depths, ".npy", arguments.images));
  PictureRun run(predictor, arguments, pairs.size());
  metrics::DepthScore score({arguments.min_depth, arguments.max_depth, arguments.scale_to_median});
  for (const Pair& pair : pairs) {
    if (run.enough()) break;
    FOVEA_ASSIGN(const task::Prediction prediction, run.predict(pair.picture.string(), task::Prediction::Kind::Depth));
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
