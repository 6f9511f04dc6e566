// SPDX-License-Identifier: Apache-2.0
// `fovea val` by kind of answer: each runs the pictures, prints a table and returns the same figures as JSON.
#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "cli/arguments.h"
#include "fovea/task.h"

namespace fovea::cli {

struct ValArguments {
  std::string network, images, annotations, labels, masks, depths, recipe, detections, write_detections, match = "name";
  double threshold = 0.001, min_depth = 1e-3, max_depth = 80;
  int ignored = 255, limit = 0;
  bool scale_to_median = false;
  CommonArguments common;
};

/// Predicts and shows progress; Cancelled after Ctrl-C.
class PictureRun {
 public:
  PictureRun(task::Predictor& predictor, const ValArguments& arguments, std::size_t count);
  /// The recipe's task of this kind; InvalidArgument says what the recipe gives instead.
  Result<const task::TaskInfo*> task(task::Prediction::Kind wanted) const;
  /// `listed_in`: what names this file, said when it is not there.
  Result<task::Prediction> predict(const std::string& file, const std::string& listed_in = {});
  /// Sides of the last picture.
  int width() const { return width_; }
  int height() const { return height_; }
  /// Mean time in the network so far.
  double milliseconds() const { return done_ ? total_ / static_cast<double>(done_) : 0; }
  bool enough() const { return limit_ > 0 && done_ >= static_cast<std::size_t>(limit_); }

 private:
  task::Predictor& predictor_;
  const ValArguments& arguments_;
  std::function<bool(std::string_view, double)> progress_;
  std::size_t count_, done_ = 0;
  int limit_, width_ = 0, height_ = 0;
  double total_ = 0;
};

Result<nlohmann::json> val_detections(task::Predictor* predictor, const ValArguments& arguments);
Result<nlohmann::json> val_classes(task::Predictor& predictor, const ValArguments& arguments);
Result<nlohmann::json> val_segmentation(task::Predictor& predictor, const ValArguments& arguments);
Result<nlohmann::json> val_depth(task::Predictor& predictor, const ValArguments& arguments);

}  // namespace fovea::cli
