// SPDX-License-Identifier: Apache-2.0
// Pictures of maps: classes over the picture, depths instead of it, and what their colours stand for.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>

#include "image/canvas.h"
#include "image/draw.h"
#include "image/palette.h"

namespace fovea::image {

namespace {

/// A value as people write it: up to four digits.
std::string short_number(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.4g", value);
  return text;
}

}  // namespace

std::optional<Color> painted_color(const MaskPaint& paint, std::int32_t class_id) {
  if (class_id < 0 || class_id == paint.background) return std::nullopt;
  if (paint.palette.empty()) return class_color(class_id - 1);
  if (static_cast<std::size_t>(class_id) >= paint.palette.size()) return std::nullopt;
  return paint.palette[static_cast<std::size_t>(class_id)];
}

void draw_mask(Picture& picture, std::span<const std::int32_t> classes, const MaskPaint& paint) {
  const int alpha = static_cast<int>(std::lround(std::clamp(paint.opacity, 0.0, 1.0) * 256));
  for (std::size_t i = 0; i < classes.size() && 3 * i + 2 < picture.pixels.size(); ++i) {
    const std::optional<Color> color = painted_color(paint, classes[i]);
    if (!color) continue;
    for (std::size_t c = 0; c < 3; ++c) {
      std::uint8_t& value = picture.pixels[3 * i + c];
      value = static_cast<std::uint8_t>((value * (256 - alpha) + (*color)[c] * alpha + 128) >> 8);
    }
  }
}

void draw_legend(Picture& picture, std::span<const std::pair<Color, std::string>> rows) {
  cv::Mat canvas = view(picture);
  const Style style = style_for(picture);
  int baseline = 0, widest = 0;
  const int line = cv::getTextSize("Ag", kFont, style.font, style.thickness, &baseline).height + baseline + style.line + 2, pad = line / 3;
  const auto shown = std::min<std::size_t>(rows.size(), static_cast<std::size_t>(std::max(0, (picture.height - 2 * pad) / line)));
  if (shown == 0) return;
  for (const auto& row : rows.first(shown)) widest = std::max(widest, cv::getTextSize(ascii(row.second), kFont, style.font, style.thickness, &baseline).width);
  cv::rectangle(canvas, cv::Rect(0, 0, widest + line + 3 * pad, static_cast<int>(shown) * line + 2 * pad), cv::Scalar(30, 30, 30), cv::FILLED);
  int y = pad;
  for (const auto& [color, text] : rows.first(shown)) {
    cv::rectangle(canvas, cv::Rect(pad, y + 1, line - 2, line - 3), scalar(color), cv::FILLED);
    cv::putText(canvas, ascii(text), {line + 2 * pad, y + line - baseline - 1}, kFont, style.font, cv::Scalar(255, 255, 255), style.thickness, cv::LINE_AA);
    y += line;
  }
}

std::array<double, 2> depth_range(std::span<const float> values, const DepthPaint& paint) {
  if (paint.range) return *paint.range;
  std::vector<float> finite;
  std::copy_if(values.begin(), values.end(), std::back_inserter(finite), [](float value) { return std::isfinite(value); });
  if (finite.empty()) return {0, 1};
  const auto percentile = [&](double share) {
    const auto at = finite.begin() + static_cast<std::ptrdiff_t>(share * static_cast<double>(finite.size() - 1));
    std::nth_element(finite.begin(), at, finite.end());
    return *at;
  };
  const float low = percentile(0.02);
  return {low, std::max(percentile(0.98), std::nextafter(low, INFINITY))};
}

Picture depth_picture(std::span<const float> values, int width, int height, const DepthPaint& paint, std::array<double, 2> range) {
  const std::vector<Color>& colors = color_map(paint.colors);
  Picture picture(width, height);
  for (std::size_t i = 0; i < values.size() && 3 * i + 2 < picture.pixels.size(); ++i) {
    if (!std::isfinite(values[i])) continue;
    const double nearness = (paint.larger_is_nearer ? values[i] - range[0] : range[1] - values[i]) / (range[1] - range[0]);
    const Color& color = colors[static_cast<std::size_t>(255 * std::clamp(nearness, 0.0, 1.0))];
    std::copy(color.begin(), color.end(), picture.pixels.begin() + static_cast<std::ptrdiff_t>(3 * i));
  }
  return picture;
}

void draw_depth_scale(Picture& picture, const DepthPaint& paint, std::array<double, 2> range, const std::string& unit) {
  const std::vector<Color>& colors = color_map(paint.colors);
  cv::Mat canvas = view(picture);
  const Style style = style_for(picture);
  const double far_end = range[paint.larger_is_nearer ? 0 : 1], near_end = range[paint.larger_is_nearer ? 1 : 0];
  const std::string after = unit.empty() ? "" : " " + unit, left = ascii(short_number(far_end) + after), right = ascii(short_number(near_end) + after);
  int baseline = 0;
  const cv::Size from = cv::getTextSize(left, kFont, style.font, style.thickness, &baseline);
  const cv::Size to = cv::getTextSize(right, kFont, style.font, style.thickness, &baseline);
  const int pad = style.line + 3, strip = std::max(32, picture.width / 4), height = from.height + baseline + pad, top = picture.height - height;
  const int width = from.width + to.width + strip + 4 * pad;
  if (top < 0 || width > picture.width) return;
  cv::rectangle(canvas, cv::Rect(0, top, width, height), cv::Scalar(30, 30, 30), cv::FILLED);
  const cv::Scalar white(255, 255, 255);
  cv::putText(canvas, left, {pad, top + pad / 2 + from.height}, kFont, style.font, white, style.thickness, cv::LINE_AA);
  const int start = from.width + 2 * pad;
  for (int x = 0; x < strip; ++x) {
    cv::line(canvas, {start + x, top + pad / 2}, {start + x, top + height - pad / 2 - 1}, scalar(colors[static_cast<std::size_t>(255 * x / (strip - 1))]));
  }
  cv::putText(canvas, right, {start + strip + pad, top + pad / 2 + to.height}, kFont, style.font, white, style.thickness, cv::LINE_AA);
}

Picture side_by_side(const Picture& left, const Picture& right) {
  Picture both(left.width + right.width, left.height);
  for (int y = 0; y < both.height; ++y) {
    std::memcpy(both.row(y), left.row(y), std::size_t{3} * static_cast<std::size_t>(left.width));
    std::memcpy(both.row(y) + 3 * left.width, right.row(y), std::size_t{3} * static_cast<std::size_t>(right.width));
  }
  return both;
}

}  // namespace fovea::image
