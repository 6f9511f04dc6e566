// SPDX-License-Identifier: Apache-2.0
// Drawing of results onto pictures.
#pragma once

#include <array>
#include <cstdint>
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

/// Blends class colours over the picture; class 0 and negative ones stay clear. `classes` has one entry a pixel.
void draw_mask(Picture& picture, std::span<const std::int32_t> classes, double opacity = 0.5);

/// Lines of text in the upper left corner, e.g. the best classes.
void draw_text(Picture& picture, std::span<const std::string> lines);

/// Dots, e.g. landmarks.
void draw_points(Picture& picture, std::span<const std::pair<float, float>> points, Color color);

/// Values mapped linearly from their 2nd..98th percentile to a colour map: near (small) warm, far dark; with
/// `larger_is_nearer` the other way round. Non-finite values are black.
Picture depth_picture(std::span<const float> values, int width, int height, bool larger_is_nearer);

}  // namespace fovea::image
