// SPDX-License-Identifier: Apache-2.0
// Prediction: the answer for one picture, in the picture's own pixels; and its forms as JSON, table and drawing.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "image/picture.h"

namespace fovea::task {

struct Detection {
  int class_id = 0;
  std::string label;
  float score = 0;
  std::array<float, 4> box{};                        ///< x1 y1 x2 y2
  std::vector<std::pair<float, float>> keypoints;
};

struct ClassScore {
  int class_id = 0;
  std::string label;
  float score = 0;
};

/// One value per pixel of the picture.
struct SegmentationMap {
  int width = 0, height = 0;
  std::vector<std::int32_t> classes;
  /// Classes present, with the share of the picture each takes as score, largest first.
  std::vector<ClassScore> shares;
};

struct DepthMap {
  int width = 0, height = 0;
  std::vector<float> values;
  float min = 0, median = 0, max = 0;
  bool larger_is_nearer = false;
  std::string unit;
};

struct Prediction {
  enum class Kind { Detections, Classes, Segmentation, Depth, Landmarks };
  Kind kind = Kind::Detections;
  std::vector<Detection> detections;                 ///< best first
  std::vector<ClassScore> classes;                   ///< best first
  SegmentationMap segmentation;
  DepthMap depth;
  std::vector<std::pair<float, float>> landmarks;
};

/// Where a mask or depth map was written, for the JSON; empty when it was not.
struct PredictionFiles {
  std::string mask, depth;
};

/// {"image", "detections":[{"label","class_id","score","box":[x1,y1,x2,y2]}]}, or "classes", "mask_file" with
/// "classes", "depth_file" with "depth", "landmarks". One line, no trailing newline.
std::string to_json(const Prediction& prediction, const std::string& image, const PredictionFiles& files = {});
/// Aligned lines for people, newline at the end.
std::string to_table(const Prediction& prediction);
/// Draws the answer onto the picture it was made from. Depth replaces the picture by its colour map.
void draw(const Prediction& prediction, image::Picture& picture);

}  // namespace fovea::task
