// SPDX-License-Identifier: Apache-2.0
// Drawing of results onto pictures.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "fovea/task.h"

namespace fovea::image {

/// A colour per class, far apart for neighbouring numbers; the same on every run.
Color class_color(int class_id);

struct LabelledBox {
  std::array<float, 4> box{};  ///< x1 y1 x2 y2 in pixels
  std::string label;           ///< may be empty; shown as ASCII
  Color color{};
  std::vector<std::pair<float, float>> points;  ///< keypoints, drawn as dots
};

/// Line width and text follow the picture's size. Labels stay inside the picture and, where there is room, off
/// each other.
void draw_boxes(Picture& picture, std::span<const LabelledBox> boxes);

/// The colour `paint` gives a class, or nothing where the class stays clear.
std::optional<Color> painted_color(const MaskPaint& paint, std::int32_t class_id);

/// Blends the classes' colours over the picture. `classes` has one entry a pixel.
void draw_mask(Picture& picture, std::span<const std::int32_t> classes, const MaskPaint& paint = {});

/// What colours stand for: a plate of colour and a line of text each, in the upper left corner; as many as fit.
void draw_legend(Picture& picture, std::span<const std::pair<Color, std::string>> rows);

/// Lines of text in the upper left corner, e.g. the best classes.
void draw_text(Picture& picture, std::span<const std::string> lines);

/// Dots, e.g. landmarks.
void draw_points(Picture& picture, std::span<const std::pair<float, float>> points, Color color);

/// What the far and near end of the colour map stand for: the range of `paint`, or the 2nd and 98th percentile.
std::array<double, 2> depth_range(std::span<const float> values, const DepthPaint& paint);

/// Values mapped linearly to a colour map, near ones to its upper end. Non-finite values are black.
Picture depth_picture(std::span<const float> values, int width, int height, const DepthPaint& paint, std::array<double, 2> range);

/// A strip of the colour map along the lower edge, the range's two ends written beside it.
void draw_depth_scale(Picture& picture, const DepthPaint& paint, std::array<double, 2> range, const std::string& unit);

/// `right` beside `left`; both must be of one height.
Picture side_by_side(const Picture& left, const Picture& right);

}  // namespace fovea::image
