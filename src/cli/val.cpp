// SPDX-License-Identifier: Apache-2.0
// `fovea val`: scores a network on pictures whose answers are known.
#include "cli/val.h"

#include <cstdio>

#include "base/check.h"
#include "base/file.h"
#include "cli/command.h"

namespace fovea::cli {

namespace {

const char* name_of(task::Prediction::Kind kind) {
  switch (kind) {
    case task::Prediction::Kind::Detections: return "detections";
    case task::Prediction::Kind::Classes: return "classes";
    case task::Prediction::Kind::Segmentation: return "a segmentation";
    case task::Prediction::Kind::Depth: return "depth";
    case task::Prediction::Kind::Landmarks: return "landmarks";
  }
  return "?";
}

Result<task::Predictor> open(const ValArguments& arguments) {
  BuildOptions build;
  build.threads = arguments.common.threads;
  build.progress = progress_bar(arguments.common.quiet);
  FOVEA_ASSIGN(const Engine engine, load_or_build(arguments.network, build));
  task::PredictorOptions options;
  options.score_threshold = arguments.threshold;
  options.top_k = 5;
  options.session.threads = arguments.common.threads;
  if (!arguments.recipe.empty()) {
    FOVEA_ASSIGN(options.recipe, read_file(arguments.recipe));
  }
  auto predictor = task::Predictor::create(engine, options);
  if (!predictor.ok()) return std::move(predictor).status().with_context(arguments.recipe.empty() ? arguments.network : arguments.recipe);
  return predictor;
}

Result<nlohmann::json> score(const ValArguments& arguments) {
  for (const std::string& file : {arguments.common.json, arguments.write_detections}) {  // before the work, not after it
    if (!file.empty() && file != "-") FOVEA_RETURN_IF_ERROR(check_writable(file));
  }
  if (!arguments.detections.empty()) return val_detections(nullptr, arguments);
  FOVEA_ASSIGN(task::Predictor predictor, open(arguments));
  if (!arguments.annotations.empty()) return val_detections(&predictor, arguments);
  if (!arguments.labels.empty()) return val_classes(predictor, arguments);
  if (!arguments.masks.empty()) return val_segmentation(predictor, arguments);
  return val_depth(predictor, arguments);
}

/// What must stand together on the command line.
Status check(const ValArguments& a) {
  const int kinds = !a.annotations.empty() + !a.labels.empty() + !a.masks.empty() + !a.depths.empty();
  if (kinds != 1) return invalid_argument("command line: expected one of --annotations, --labels, --masks and --depths, found ", kinds);
  if (!a.detections.empty()) {
    if (a.annotations.empty()) return invalid_argument("command line: --detections needs --annotations");
    if (!a.network.empty()) return invalid_argument("command line: a network or --detections, not both");
    return {};
  }
  if (a.network.empty()) return invalid_argument("command line: network is required (or --detections, a file of results)");
  if (a.images.empty() && a.labels.empty()) return invalid_argument("command line: --images is required");
  return {};
}

}  // namespace

PictureRun::PictureRun(task::Predictor& predictor, const ValArguments& arguments, std::size_t count)
    : predictor_(predictor), arguments_(arguments), progress_(progress_bar(arguments.common.quiet)), count_(count), limit_(arguments.limit) {
  if (limit_ > 0) count_ = std::min(count_, static_cast<std::size_t>(limit_));
}

Result<const task::TaskInfo*> PictureRun::task(task::Prediction::Kind wanted) const {
  for (const task::TaskInfo& info : predictor_.tasks()) {
    if (info.kind == wanted) return &info;
  }
  return invalid_argument("the recipe gives ", name_of(predictor_.tasks().front().kind), ", but the truth is ", name_of(wanted));
}

Result<task::Prediction> PictureRun::predict(const std::string& file, const std::string& listed_in) {
  if (interrupted() || !progress_("pictures", static_cast<double>(done_) / static_cast<double>(std::max<std::size_t>(count_, 1)))) {
    return Status(ErrorCode::Cancelled, "interrupted");
  }
  const auto picture = image::read_picture(file);
  if (!picture.ok()) {
    const bool listed = picture.status().code() == ErrorCode::NotFound && !listed_in.empty();
    return listed ? Status(picture.status()).with_context(listed_in) : picture.status();
  }
  width_ = picture->width;
  height_ = picture->height;
  auto prediction = predictor_.predict(*picture);
  if (!prediction.ok()) return in_recipe_or(file, arguments_.recipe, arguments_.network, std::move(prediction).status());
  total_ += predictor_.network_milliseconds();
  if (++done_ == count_) progress_("pictures", 1);
  return prediction;
}

int val(int argc, char** argv) {
  ValArguments arguments;
  CommandLine line("Scores a network on pictures whose answers are known: COCO mAP, top-1 and top-5, mean IoU, or depth errors.",
                   "fovea val cells.fovea --images photos --annotations instances.json --json score.json");
  line.option("network", arguments.network, "engine with a recipe, or an ONNX file with --recipe");
  line.option("--images", arguments.images, "folder with the pictures");
  line.option("--annotations", arguments.annotations, "detection: COCO instances JSON");
  line.option("--labels", arguments.labels, "classification: text file, each line a picture and its label or class number");
  line.option("--masks", arguments.masks, "segmentation: folder of grey PNG files, a class number per pixel");
  line.option("--depths", arguments.depths, "depth: folder of .npy files");
  line.option("--recipe", arguments.recipe, "use this recipe instead of the engine's");
  line.option("--threshold", arguments.threshold, "smallest score of a detection that is scored").between(0.0, 1.0).with_default();
  line.option("--match", arguments.match, "how a network's classes find their categories: by name, or by id").one_of({"name", "id"}).with_default();
  line.option("--detections", arguments.detections, "score this file of COCO results instead of running a network");
  line.option("--write-detections", arguments.write_detections, "write the detections as COCO results");
  line.option("--ignore", arguments.ignored, "class number of pixels that do not count").with_default();
  line.option("--min-depth", arguments.min_depth, "smallest depth that counts").above_zero().with_default();
  line.option("--max-depth", arguments.max_depth, "largest depth that counts").above_zero().with_default();
  line.flag("--median-scale", arguments.scale_to_median, "scale each depth map so that its median equals the truth's");
  line.option("--limit", arguments.limit, "only the first pictures").above_zero();
  arguments.common.add_to(line, true);
  if (const auto code = parse(line, argc, argv, arguments.common.plugins)) return *code;
  if (const Status status = check(arguments); !status.ok()) return fail(status);
  catch_interrupts();
  const auto figures = score(arguments);
  if (!figures.ok()) return fail(figures.status());
  if (!arguments.common.json.empty()) {
    const Status status = write_json(arguments.common.json, figures->dump(2));
    if (!status.ok()) return fail(status);
  }
  return kDone;
}

}  // namespace fovea::cli
