// SPDX-License-Identifier: Apache-2.0
#include "fovea/task.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "image/draw.h"

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

}  // namespace

std::string to_json(const Prediction& prediction, const std::string& image, const PredictionFiles& files) {
  Json json{{"image", image}};
  switch (prediction.kind) {
    case Prediction::Kind::Detections: {
      Json& list = json["detections"] = Json::array();
      for (const Detection& d : prediction.detections) {
        Json row{{"label", d.label}, {"class_id", d.class_id}, {"score", number(d.score)},
                 {"box", Json::array({number(d.box[0]), number(d.box[1]), number(d.box[2]), number(d.box[3])})}};
        if (!d.keypoints.empty()) row["keypoints"] = points_json(d.keypoints);
        list.push_back(std::move(row));
      }
      break;
    }
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
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string to_table(const Prediction& prediction) {
  switch (prediction.kind) {
    case Prediction::Kind::Detections: {
      if (prediction.detections.empty()) return "nothing found\n";
      std::size_t width = 5;
      for (const Detection& d : prediction.detections) width = std::max(width, columns_of(d.label));
      std::string text = padded("label", width) + "   score       x1       y1       x2       y2\n";
      for (const Detection& d : prediction.detections) {
        text += padded(d.label, width) + format("  %6.3f", static_cast<double>(d.score));
        for (float value : d.box) text += format(" %8.1f", static_cast<double>(value));
        text += "\n";
      }
      return text;
    }
    case Prediction::Kind::Classes: return class_rows(prediction.classes, "score");
    case Prediction::Kind::Segmentation: return class_rows(prediction.segmentation.shares, "share of the picture");
    case Prediction::Kind::Depth:
      return format("depth %dx%d: min %.4g, median %.4g, max %.4g %s\n", prediction.depth.width, prediction.depth.height, static_cast<double>(prediction.depth.min),
                    static_cast<double>(prediction.depth.median), static_cast<double>(prediction.depth.max), prediction.depth.unit.c_str());
    case Prediction::Kind::Landmarks: {
      std::string text = format("%zu landmarks\n", prediction.landmarks.size());
      for (std::size_t i = 0; i < prediction.landmarks.size(); ++i) {
        text += format("%5zu %8.1f %8.1f\n", i, static_cast<double>(prediction.landmarks[i].first), static_cast<double>(prediction.landmarks[i].second));
      }
      return text;
    }
  }
  return {};
}

void draw(const Prediction& prediction, image::Picture& picture) {
  switch (prediction.kind) {
    case Prediction::Kind::Detections: {
      std::vector<image::LabelledBox> boxes;
      // Worst first, so that the best are on top.
      for (auto it = prediction.detections.rbegin(); it != prediction.detections.rend(); ++it) {
        boxes.push_back({it->box, it->label + format(" %.2f", static_cast<double>(it->score)), image::class_color(it->class_id), it->keypoints});
      }
      image::draw_boxes(picture, boxes);
      break;
    }
    case Prediction::Kind::Classes: {
      std::vector<std::string> lines;
      for (const ClassScore& row : prediction.classes) lines.push_back(format("%5.1f %%  ", 100.0 * static_cast<double>(row.score)) + row.label);
      image::draw_text(picture, lines);
      break;
    }
    case Prediction::Kind::Segmentation: image::draw_mask(picture, prediction.segmentation.classes); break;
    case Prediction::Kind::Depth:
      picture = image::depth_picture(prediction.depth.values, prediction.depth.width, prediction.depth.height, prediction.depth.larger_is_nearer);
      break;
    case Prediction::Kind::Landmarks: image::draw_points(picture, prediction.landmarks, {40, 220, 90}); break;
  }
}

}  // namespace fovea::task
