// SPDX-License-Identifier: Apache-2.0
#include "image/draw.h"

#include <algorithm>
#include <cmath>

#include "image/canvas.h"

namespace fovea::image {

namespace {

int to_pixel(float value, int limit) { return std::isfinite(value) ? static_cast<int>(std::lround(std::clamp(value, 0.0f, static_cast<float>(limit)))) : 0; }

cv::Point to_point(std::pair<float, float> at, const Picture& picture) { return {to_pixel(at.first, picture.width), to_pixel(at.second, picture.height)}; }

void draw_label(cv::Mat& canvas, const LabelledBox& box, cv::Rect frame, const Style& style, std::vector<cv::Rect>& taken) {
  const std::string text = ascii(box.label);
  int baseline = 0;
  const cv::Size size = cv::getTextSize(text, kFont, style.font, style.thickness, &baseline);
  const int pad = style.line + 1;
  const cv::Size plate(size.width + 2 * pad, size.height + baseline / 2 + 2 * pad);
  // Above the box, else inside its top, else below it: the first place that is free and inside the picture.
  cv::Rect best;
  for (const int y : {frame.y - plate.height, frame.y, frame.y + frame.height}) {
    const cv::Rect place(std::clamp(frame.x, 0, std::max(0, canvas.cols - plate.width)), std::clamp(y, 0, std::max(0, canvas.rows - plate.height)),
                         plate.width, plate.height);
    const bool free = std::none_of(taken.begin(), taken.end(), [&](const cv::Rect& other) { return (other & place).area() > 0; });
    if (best.empty() || free) best = place;
    if (free) break;
  }
  taken.push_back(best);
  cv::rectangle(canvas, best, scalar(box.color), cv::FILLED);
  cv::putText(canvas, text, {best.x + pad, best.y + pad + size.height}, kFont, style.font, text_color(box.color), style.thickness, cv::LINE_AA);
}

}  // namespace

Color class_color(int class_id) {
  static constexpr Color kColors[] = {{230, 57, 70},  {29, 120, 220},  {42, 157, 80},   {244, 162, 40}, {131, 56, 200}, {0, 180, 190},
                                      {214, 64, 159}, {140, 110, 40},  {100, 190, 30},  {250, 110, 90}, {70, 90, 160},  {200, 190, 30},
                                      {20, 100, 90},  {160, 160, 160}, {120, 200, 250}, {90, 40, 30}};
  constexpr int kCount = static_cast<int>(std::size(kColors));
  return kColors[static_cast<std::size_t>(((class_id % kCount) + kCount) % kCount)];
}

void draw_boxes(Picture& picture, std::span<const LabelledBox> boxes) {
  cv::Mat canvas = view(picture);
  const Style style = style_for(picture);
  std::vector<cv::Rect> frames, taken;
  for (const LabelledBox& box : boxes) {
    const cv::Point from = to_point({box.box[0], box.box[1]}, picture), to = to_point({box.box[2], box.box[3]}, picture);
    frames.emplace_back(from, to);
    cv::rectangle(canvas, from, to, scalar(box.color), style.line, cv::LINE_AA);
    for (const auto& point : box.points) cv::circle(canvas, to_point(point, picture), style.line + 1, scalar(box.color), cv::FILLED, cv::LINE_AA);
  }
  for (std::size_t i = 0; i < boxes.size(); ++i) {
    if (!boxes[i].label.empty()) draw_label(canvas, boxes[i], frames[i], style, taken);
  }
}

void draw_text(Picture& picture, std::span<const std::string> lines) {
  cv::Mat canvas = view(picture);
  const Style style = style_for(picture);
  int y = 0;
  for (const std::string& line : lines) {
    int baseline = 0;
    const cv::Size size = cv::getTextSize(ascii(line), kFont, style.font, style.thickness, &baseline);
    const int pad = style.line + 2;
    cv::rectangle(canvas, cv::Rect(0, y, size.width + 2 * pad, size.height + baseline + pad), cv::Scalar(30, 30, 30), cv::FILLED);
    cv::putText(canvas, ascii(line), {pad, y + pad / 2 + size.height}, kFont, style.font, cv::Scalar(255, 255, 255), style.thickness, cv::LINE_AA);
    y += size.height + baseline + pad;
  }
}

void draw_points(Picture& picture, std::span<const std::pair<float, float>> points, Color color) {
  cv::Mat canvas = view(picture);
  const int radius = std::clamp(std::max(picture.width, picture.height) / 500, 1, 8);
  for (const auto& point : points) cv::circle(canvas, to_point(point, picture), radius, scalar(color), cv::FILLED, cv::LINE_AA);
}

}  // namespace fovea::image
