// SPDX-License-Identifier: Apache-2.0
// From the coordinates a network speaks to pixels of the picture.
#pragma once

#include <utility>

#include "task/recipe.h"

namespace fovea::task {

/// What coordinates of this kind are multiplied with to become pixels.
inline std::pair<double, double> pixel_scale(Coordinates coordinates, const image::ImageTransform& transform) {
  if (coordinates != Coordinates::Normalised) return {1, 1};
  return {transform.input_width, transform.input_height};
}

/// The way back to the picture for coordinates that have been multiplied so.
inline image::ImageTransform way_back(Coordinates coordinates, const image::ImageTransform& transform) {
  image::ImageTransform back = transform;
  if (coordinates == Coordinates::Picture) {
    back.scale_x = back.scale_y = 1;
    back.shift_x = back.shift_y = 0;
  } else if (coordinates == Coordinates::PixelCenters) {
    // x + 0.5 is the place on the input, 0.5 is taken off again on the picture.
    back.shift_x += back.scale_x / 2 - 0.5;
    back.shift_y += back.scale_y / 2 - 0.5;
  }
  return back;
}

}  // namespace fovea::task
