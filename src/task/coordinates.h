// SPDX-License-Identifier: Apache-2.0
// From the coordinates a network speaks to pixels of the picture.
#pragma once

#include <cmath>
#include <utility>

#include "task/recipe.h"

namespace fovea::task {

/// Whether the picture covers the input from edge to edge along an axis, so that shares of the one are shares of the other.
inline bool covers(double scale, double shift, int picture, int input) { return shift == 0 && std::abs(scale * picture - input) < 1e-9 * input; }
inline bool covers_x(const image::ImageTransform& t) { return covers(t.scale_x, t.shift_x, t.picture_width, t.input_width); }
inline bool covers_y(const image::ImageTransform& t) { return covers(t.scale_y, t.shift_y, t.picture_height, t.input_height); }

/// What coordinates of this kind are multiplied with before they go the way back.
inline std::pair<double, double> pixel_scale(Coordinates coordinates, const image::ImageTransform& t) {
  if (coordinates != Coordinates::Normalised) return {1, 1};
  return {covers_x(t) ? t.picture_width : t.input_width, covers_y(t) ? t.picture_height : t.input_height};
}

/// The way back to the picture for coordinates that have been multiplied so.
inline image::ImageTransform way_back(Coordinates coordinates, const image::ImageTransform& transform) {
  image::ImageTransform back = transform;
  const bool normalised = coordinates == Coordinates::Normalised, own = coordinates == Coordinates::Picture;
  // Shares of the picture become its pixels by one product: scaling there and back would round twice.
  if (own || (normalised && covers_x(transform))) back.scale_x = 1, back.shift_x = 0;
  if (own || (normalised && covers_y(transform))) back.scale_y = 1, back.shift_y = 0;
  if (coordinates == Coordinates::PixelCenters) {
    // x + 0.5 is the place on the input, 0.5 is taken off again on the picture.
    back.shift_x += back.scale_x / 2 - 0.5;
    back.shift_y += back.scale_y / 2 - 0.5;
  }
  return back;
}

}  // namespace fovea::task
