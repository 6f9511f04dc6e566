// SPDX-License-Identifier: Apache-2.0
// `fovea predict`: pictures in, answers out, by the recipe in the engine.
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <set>

#include "base/check.h"
#include "base/file.h"
#include "base/npz.h"
#include "cli/arguments.h"
#include "cli/command.h"
#include "fovea/task.h"
#include "image/class_map.h"
#include "image/picture_file.h"

namespace fovea::cli {

namespace {

namespace fs = std::filesystem;

struct Arguments {
  std::string network, folder, recipe;
  std::vector<std::string> pictures;
  double threshold = -1;
  bool tensors = false;
  CommonArguments common;
};

/// "62 RBC, 1 WBC", in the order of the classes.
std::string counted(const task::Prediction& prediction) {
  std::map<int, std::pair<std::string, int>> counts;
  for (const task::Detection& d : prediction.detections) {
    auto& [label, count] = counts[d.class_id];
    label = d.label;
    ++count;
  }
  std::string text;
  for (const auto& [id, row] : counts) text += str_cat(text.empty() ? "" : ", ", row.second, " ", row.first);
  return text.empty() ? "nothing found" : text;
}

/// What `predict` does for each picture after the network: write, print, collect JSON.
class Report {
 public:
  explicit Report(const Arguments& arguments) : arguments_(arguments) {}

  Status add(task::Predictor& predictor, const std::string& file) {
    FOVEA_ASSIGN(image::Picture picture, image::read_picture(file));
    auto prediction = predictor.predict(picture);
    if (!prediction.ok()) return in_recipe_or(file, arguments_.recipe, arguments_.network, std::move(prediction).status());
    const int width = picture.width, height = picture.height;
    task::PredictionFiles files;
    std::string annotated;
    if (!arguments_.folder.empty()) FOVEA_RETURN_IF_ERROR(save(*prediction, predictor, picture, file, files, annotated));
    json_ += (json_.empty() ? "" : "\n") + task::to_json(*prediction, file, files);
    if (arguments_.common.json == "-") return {};
    const bool detections = prediction->has(task::Prediction::Kind::Detections);
    std::printf("%s: %dx%d%s\n", file.c_str(), width, height, detections ? (": " + counted(*prediction)).c_str() : "");
    if (!arguments_.common.quiet) std::fputs(task::to_table(*prediction).c_str(), stdout);
    if (arguments_.common.verbose) std::printf("network: %.2f ms\n", predictor.network_milliseconds());
    if (!annotated.empty()) std::printf("wrote %s\n", annotated.c_str());
    return {};
  }

  const std::string& json() const { return json_; }

 private:
  /// All results of a picture appear together, or none.
  Status save(const task::Prediction& prediction, const task::Predictor& predictor, image::Picture& picture, const std::string& file,
              task::PredictionFiles& files, std::string& annotated) {
    // Pictures of one name from several folders get a number.
    std::string stem = fs::path(file).stem().string();
    for (int i = 2; !taken_.insert(stem).second; ++i) stem = fs::path(file).stem().string() + "_" + std::to_string(i);
    const fs::path base = fs::path(arguments_.folder) / stem;
    annotated = base.string() + "_predicted.png";
    StagedFiles results;
    if (prediction.has(task::Prediction::Kind::Segmentation)) {
      files.mask = base.string() + "_mask.png";
      const task::SegmentationMap& map = prediction.segmentation;
      FOVEA_ASSIGN(const std::string mask, image::encode_class_map({map.width, map.height, map.classes}, classes_of(predictor)));
      FOVEA_RETURN_IF_ERROR(results.add(files.mask, mask));
    }
    if (prediction.has(task::Prediction::Kind::Depth)) {
      files.depth = base.string() + "_depth.npy";
      const task::DepthMap& map = prediction.depth;
      FOVEA_ASSIGN(const std::string depth, format_npy(Tensor::from<float>(DataType::f32, {map.height, map.width}, map.values)));
      FOVEA_RETURN_IF_ERROR(results.add(files.depth, depth));
    }
    if (arguments_.tensors) {
      FOVEA_ASSIGN(const std::vector<std::string> parts, format_npz(predictor.tensors()));
      std::vector<std::span<const std::byte>> pieces;
      for (const std::string& part : parts) pieces.push_back(std::as_bytes(std::span(part)));
      FOVEA_RETURN_IF_ERROR(results.add(base.string() + "_tensors.npz", pieces));
    }
    task::draw(prediction, picture);
    FOVEA_ASSIGN(const std::string drawn, image::encode_png(picture));
    FOVEA_RETURN_IF_ERROR(results.add(annotated, drawn));
    return results.commit();
  }

  /// Classes that the segmentation tells apart; 0: unknown.
  static std::int64_t classes_of(const task::Predictor& predictor) {
    for (const task::TaskInfo& info : predictor.tasks()) {
      if (info.kind == task::Prediction::Kind::Segmentation) return info.classes;
    }
    return 0;
  }

  const Arguments& arguments_;
  std::string json_;
  std::set<std::string> taken_;
};

Result<task::Predictor> open(const Arguments& arguments) {
  if (!arguments.folder.empty()) FOVEA_RETURN_IF_ERROR(make_folder(arguments.folder));  // before the work, not after it
  if (!arguments.common.json.empty() && arguments.common.json != "-") FOVEA_RETURN_IF_ERROR(check_writable(arguments.common.json));
  BuildOptions options;
  options.threads = arguments.common.threads;
  options.progress = progress_bar(arguments.common.quiet);
  FOVEA_ASSIGN(const Engine engine, load_or_build(arguments.network, options));
  task::PredictorOptions predictor;
  predictor.score_threshold = arguments.threshold;
  predictor.session.threads = arguments.common.threads;
  if (!arguments.recipe.empty()) {
    FOVEA_ASSIGN(predictor.recipe, read_file(arguments.recipe));
  }
  auto opened = task::Predictor::create(engine, predictor);
  if (!opened.ok()) {
    return std::move(opened).status().with_context(arguments.recipe.empty() ? arguments.network : arguments.recipe);
  }
  return opened;
}

}  // namespace

int predict(int argc, char** argv) {
  Arguments arguments;
  CommandLine line("Runs pictures through a network and prints what its recipe makes of the outputs.",
                   "fovea predict cells.fovea photo.jpg -o out --json cells.json");
  line.option("network", arguments.network, "engine with a recipe, or an ONNX file with --recipe").required();
  line.option("pictures", arguments.pictures, "JPEG, PNG, BMP or PPM files").required();
  line.option("-o,--output", arguments.folder, "write annotated pictures (and masks, depth maps) into this folder");
  line.option("--recipe", arguments.recipe, "use this recipe instead of the engine's");
  line.option("--threshold", arguments.threshold, "smallest score of a detection instead of the recipe's").between(0.0, 1.0);
  line.flag("--tensors", arguments.tensors, "with -o: also write what the network got and gave, as .npz");
  arguments.common.add_to(line, true);
  if (const auto code = parse(line, argc, argv, arguments.common.plugins)) return *code;
  if (arguments.tensors && arguments.folder.empty()) return fail(invalid_argument("command line: --tensors needs -o, a folder"));
  catch_interrupts();
  auto predictor = open(arguments);
  if (!predictor.ok()) return fail(predictor.status());
  // A bad picture does not keep the others from their answers; the first failure gives the exit code.
  int code = kDone;
  Report report(arguments);
  for (const std::string& picture : arguments.pictures) {
    if (interrupted()) return fail(Status(ErrorCode::Cancelled, "interrupted"));
    const Status status = report.add(*predictor, picture);
    if (!status.ok()) {
      const int failed = fail(status);
      code = code == kDone ? failed : code;
    }
  }
  if (!arguments.common.json.empty() && !report.json().empty()) {
    const Status status = write_json(arguments.common.json, report.json());
    if (!status.ok()) return fail(status);
  }
  return code;
}

}  // namespace fovea::cli
