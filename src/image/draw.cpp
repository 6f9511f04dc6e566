// SPDX-License-Identifier: Apache-2.0
#include "image/draw.h"

#include <algorithm>
#include <cmath>
#include <opencv2/imgproc.hpp>

namespace fovea::image {

namespace {

constexpr int kFont = cv::FONT_HERSHEY_SIMPLEX;

/// A view of the picture for OpenCV's drawing; channel order is ours, so colours are given as red, green, blue.
cv::Mat view(Picture& picture) { return {picture.height, picture.width, CV_8UC3, picture.pixels.data()}; }

cv::Scalar scalar(Color color) { return {double(color[0]), double(color[1]), double(color[2])}; }

/// Black or white, whichever reads better on `color`.
cv::Scalar text_color(Color color) {
  const double luma = 0.299 * color[0] + 0.587 * color[1] + 0.114 * color[2];
  return luma > 150 ? cv::Scalar(20, 20, 20) : cv::Scalar(255, 255, 255);
}

/// Hershey fonts know ASCII only.
std::string ascii(const std::string& text) {
  std::string plain;
  for (char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x80 && byte < 0xc0) continue;  // inside a UTF-8 sequence
    plain += byte >= 32 && byte < 127 ? c : '?';
  }
  return plain.substr(0, 64);
}

struct Style {
  int line = 2;
  double font = 0.5;
  int thickness = 1;
};

Style style_for(const Picture& picture) {
  const int side = std::max(picture.width, picture.height);
  Style style;
  style.line = std::clamp(side / 400, 1, 8);
  style.font = std::clamp(side / 1400.0, 0.4, 2.5);
  style.thickness = style.font >= 0.9 ? 2 : 1;
  return style;
}

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

void draw_mask(Picture& picture, std::span<const std::int32_t> classes, double opacity) {
  const int alpha = static_cast<int>(std::lround(std::clamp(opacity, 0.0, 1.0) * 256));
  for (std::size_t i = 0; i < classes.size() && 3 * i + 2 < picture.pixels.size(); ++i) {
    if (classes[i] <= 0) continue;
    const Color color = class_color(classes[i] - 1);
    for (std::size_t c = 0; c < 3; ++c) {
      std::uint8_t& value = picture.pixels[3 * i + c];
      value = static_cast<std::uint8_t>((value * (256 - alpha) + color[c] * alpha + 128) >> 8);
    }
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

Picture depth_picture(std::span<const float> values, int width, int height, bool larger_is_nearer) {
  std::vector<float> finite;
  for (float value : values) {
    if (std::isfinite(value)) finite.push_back(value);
  }
  float low = 0, high = 1;
  if (!finite.empty()) {
    const auto percentile = [&](double share) {
      const auto at = finite.begin() + static_cast<std::ptrdiff_t>(share * static_cast<double>(finite.size() - 1));
      std::nth_element(finite.begin(), at, finite.end());
      return *at;
    };
    low = percentile(0.02);
    high = std::max(percentile(0.98), std::nextafter(low, INFINITY));
  }
  cv::Mat levels(height, width, CV_8U), colors;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const float share = std::isfinite(values[i]) ? std::clamp((values[i] - low) / (high - low), 0.0f, 1.0f) : 0.0f;
    levels.data[i] = static_cast<std::uint8_t>(std::lround(255 * (larger_is_nearer ? share : 1 - share)));
  }
  cv::applyColorMap(levels, colors, cv::COLORMAP_INFERNO);
  Picture picture(width, height);
  for (std::size_t i = 0; i < values.size(); ++i) {
    for (std::size_t c = 0; c < 3; ++c) picture.pixels[3 * i + c] = std::isfinite(values[i]) ? colors.data[3 * i + (2 - c)] : std::uint8_t{0};
  }
  return picture;
}

}  // namespace fovea::image
