// SPDX-License-Identifier: Apache-2.0
// Answers as pictures.
#include <cstdio>

#include "fovea/task.h"
#include "image/draw.h"

namespace fovea::task {

namespace {

std::string percent(float share) {
  char text[16];
  std::snprintf(text, sizeof text, "%.1f %%", 100.0 * static_cast<double>(share));
  return text;
}

void draw_detections(const std::vector<Detection>& detections, image::Picture& picture) {
  std::vector<image::LabelledBox> boxes;
  // Worst first, so that the best are on top.
  for (auto it = detections.rbegin(); it != detections.rend(); ++it) {
    char score[16];
    std::snprintf(score, sizeof score, " %.2f", static_cast<double>(it->score));
    boxes.push_back({it->box, it->label + score, image::class_color(it->class_id), it->keypoints});
  }
  image::draw_boxes(picture, boxes);
}

void draw_segmentation(const SegmentationMap& map, image::Picture& picture) {
  image::draw_mask(picture, map.classes, map.paint);
  std::vector<std::pair<image::Color, std::string>> rows;
  for (const ClassScore& row : map.shares) {
    // What rounds to nothing would only push out what can be seen.
    if (row.score < 0.0005f) break;
    if (const auto color = image::painted_color(map.paint, row.class_id)) rows.emplace_back(*color, row.label + "  " + percent(row.score));
  }
  image::draw_legend(picture, rows);
}

image::Picture depth_panel(const DepthMap& depth) {
  const auto range = image::depth_range(depth.values, depth.paint);
  image::Picture panel = image::depth_picture(depth.values, depth.width, depth.height, depth.paint, range);
  image::draw_depth_scale(panel, depth.paint, range, depth.unit);
  return panel;
}

}  // namespace

void draw(const Prediction& prediction, image::Picture& picture) {
  for (const Prediction::Kind kind : prediction.kinds) {
    switch (kind) {
      case Prediction::Kind::Detections: draw_detections(prediction.detections, picture); break;
      case Prediction::Kind::Classes: {
        std::vector<std::string> lines;
        for (const ClassScore& row : prediction.classes) lines.push_back(percent(row.score) + "  " + row.label);
        image::draw_text(picture, lines);
        break;
      }
      case Prediction::Kind::Segmentation: draw_segmentation(prediction.segmentation, picture); break;
      case Prediction::Kind::Depth: break;  // not on the picture, see below
      case Prediction::Kind::Landmarks: image::draw_points(picture, prediction.landmarks, {40, 220, 90}); break;
    }
  }
  if (!prediction.has(Prediction::Kind::Depth)) return;
  image::Picture panel = depth_panel(prediction.depth);
  const bool fits = prediction.kinds.size() > 1 && panel.height == picture.height;
  picture = fits ? image::side_by_side(picture, panel) : std::move(panel);
}

}  // namespace fovea::task
