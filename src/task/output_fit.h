// SPDX-License-Identifier: Apache-2.0
// OutputFit: what the checks of all tasks share. A check compares only what is known; an open extent fits anything.
#pragma once

#include "task/recipe_fit.h"

namespace fovea::task {

/// The expected extent, or "N" where it is open.
inline std::string shown_extent(std::int64_t extent) { return extent == kOpen ? "N" : std::to_string(extent); }
inline bool differ(std::int64_t a, std::int64_t b) { return a != kOpen && b != kOpen && a != b; }

class OutputFit {
 public:
  OutputFit(const TaskRecipe& task, const OutputShapes& outputs, InputSize input) : task(task), outputs(outputs), input(input) {}

  const TaskRecipe& task;
  const OutputShapes& outputs;
  InputSize input;

  Status fit(const DetectionRecipe& detection) const;
  Status fit(const ClassificationRecipe& classes) const;
  Status fit(const SegmentationRecipe& map) const;
  Status fit(const DepthRecipe& depth) const;
  Status fit(const LandmarksRecipe& landmarks) const;

  /// "recipe: KEY: expected EXPECTED, found FOUND"
  Status wrong(const std::string& key, const std::string& expected, const std::string& found) const;
  /// The same for an output: "found output 'scores' of 1x3549x3".
  Status wrong_output(const std::string& key, const std::string& expected, const std::string& name) const;
  /// It must be there and hold numbers.
  Result<const OutputShape*> find(const std::string& key, const std::string& name) const;
  /// Read as matrix_shape does. `columns`: how many there must be, kOpen for any number.
  Result<MatrixShape> matrix(const std::string& key, const std::string& name, std::optional<std::int64_t> rows, std::int64_t columns) const;
  /// Labels must not outnumber the classes of output `name`, the background must be one of them. `rule` null: there is none.
  Status fit_classes(const ScoreRule* rule, std::int64_t classes, const std::string& name) const;
  /// Planes of H x W values, at least one; kOpen when the network leaves open how many.
  Result<std::int64_t> planes(const std::string& name, bool one) const;
};

/// DETR-like softmax heads have their "no object" class last unless said otherwise.
inline ScoreRule with_last_as_background(ScoreRule rule, std::int64_t classes) {
  if (rule.activation == Activation::Softmax && !rule.background && classes > 0) rule.background = static_cast<int>(classes - 1);
  return rule;
}

}  // namespace fovea::task
