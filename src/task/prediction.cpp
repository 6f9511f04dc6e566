// SPDX-License-Identifier: Apache-2.0
// Answers as JSON and as tables.
#include "fovea/task.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>

namespace fovea::task {

namespace {

/// Keeps the order in which keys are written.
using Json = nlohmann::ordered_json;

/// A float as the shortest text that reads back as it, e.g. 0.93 and not 0.9300000071525574.
Json number(float value) {
  if (!std::isfinite(value)) return nullptr;
  char text[32];
  std::snprintf(text, sizeof text, "%.6g", static_cast<double>(value));
  return Json::parse(text);
}

Json points_json(const std::vector<std::pair<float, float>>& points) {
  Json list = Json::array();
  for (const auto& [x, y] : points) list.push_back(Json::array({number(x), number(y)}));
  return list;
}

Json classes_json(const std::vector<ClassScore>& classes) {
  Json list = Json::array();
  for (const ClassScore& row : classes) list.push_back({{"label", row.label}, {"class_id", row.class_id}, {"score", number(row.score)}});
  return list;
}

Json detections_json(const std::vector<Detection>& detections) {
  Json list = Json::array();
  for (const Detection& d : detections) {
    Json row{{"label", d.label}, {"class_id", d.class_id}, {"score", number(d.score)},
             {"box", Json::array({number(d.box[0]), number(d.box[1]), number(d.box[2]), number(d.box[3])})}};
    if (!d.keypoints.empty()) row["keypoints"] = points_json(d.keypoints);
    list.push_back(std::move(row));
  }
  return list;
}

std::string format(const char* form, auto... values) {
  char text[512];
  std::snprintf(text, sizeof text, form, values...);
  return text;
}

/// Letters as a terminal shows them: UTF-8 continuation bytes take no column.
std::size_t columns_of(const std::string& text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

std::string padded(const std::string& text, std::size_t columns) { return text + std::string(columns - std::min(columns, columns_of(text)), ' '); }

std::string class_rows(const std::vector<ClassScore>& rows, const char* what) {
  std::size_t width = 5;
  for (const ClassScore& row : rows) width = std::max(width, columns_of(row.label));
  std::string text = padded("label", width) + format("  %s\n", what);
  for (const ClassScore& row : rows) text += padded(row.label, width) + format("  %5.1f %%\n", 100.0 * static_cast<double>(row.score));
  return text;
}

std::string detection_rows(const std::vector<Detection>& detections) {
  if (detections.empty()) return "nothing found\n";
  std::size_t width = 5;
  for (const Detection& d : detections) width = std::max(width, columns_of(d.label));
  std::string text = padded("label", width) + "   score       x1       y1       x2       y2\n";
  for (const Detection& d : detections) {
    text += padded(d.label, width) + format("  %6.3f", static_cast<double>(d.score));
    for (float value : d.box) text += format(" %8.1f", static_cast<double>(value));
    text += "\n";
  }
  return text;
}

std::string landmark_rows(const std::vector<std::pair<float, float>>& points) {
  std::string text = format("%zu landmarks\n", points.size());
  for (std::size_t i = 0; i < points.size(); ++i) {
    text += format("%5zu %8.1f %8.1f\n", i, static_cast<double>(points[i].first), static_cast<double>(points[i].second));
  }
  return text;
}

}  // namespace

std::string to_json(const Prediction& prediction, const std::string& image, const PredictionFiles& files) {
  Json json{{"image", image}};
  for (const Prediction::Kind kind : prediction.kinds) {
    switch (kind) {
      case Prediction::Kind::Detections: json["detections"] = detections_json(prediction.detections); break;
      case Prediction::Kind::Classes: json["classes"] = classes_json(prediction.classes); break;
      case Prediction::Kind::Segmentation:
        json["classes"] = classes_json(prediction.segmentation.shares);
        if (!files.mask.empty()) json["mask_file"] = files.mask;
        break;
      case Prediction::Kind::Depth:
        json["depth"] = {{"min", number(prediction.depth.min)}, {"median", number(prediction.depth.median)}, {"max", number(prediction.depth.max)},
                         {"unit", prediction.depth.unit}};
        if (!files.depth.empty()) json["depth_file"] = files.depth;
        break;
      case Prediction::Kind::Landmarks: json["landmarks"] = points_json(prediction.landmarks); break;
    }
  }
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string to_table(const Prediction& prediction) {
  std::string text;
  for (const Prediction::Kind kind : prediction.kinds) {
    switch (kind) {
      case Prediction::Kind::Detections: text += detection_rows(prediction.detections); break;
      case Prediction::Kind::Classes: text += class_rows(prediction.classes, "score"); break;
      case Prediction::Kind::Segmentation: text += class_rows(prediction.segmentation.shares, "share of the picture"); break;
      case Prediction::Kind::Depth:
        text += format("depth %dx%d: min %.4g, median %.4g, max %.4g %s\n", prediction.depth.width, prediction.depth.height,
                       static_cast<double>(prediction.depth.min), static_cast<double>(prediction.depth.median), static_cast<double>(prediction.depth.max),
                       prediction.depth.unit.c_str());
        break;
      case Prediction::Kind::Landmarks: text += landmark_rows(prediction.landmarks); break;
    }
  }
  return text;
}

}  // namespace fovea::task
