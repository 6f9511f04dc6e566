// SPDX-License-Identifier: Apache-2.0
// Rectangles with an angle and their overlap: one is clipped by the four edges of the other, in double.
#pragma once

namespace fovea::ops {

struct RotatedBox {
  double x, y, width, height, cosine, sine;

  /// Centre, size, angle in radians. Which way it turns does not matter for overlap.
  static RotatedBox from(const float* v);
  double area() const { return width * height; }
};

/// Area that both cover; 0 for rectangles without area.
double intersection_area(const RotatedBox& a, const RotatedBox& b);
/// Intersection over union strictly above the threshold.
bool overlaps(const RotatedBox& a, const RotatedBox& b, double threshold);

}  // namespace fovea::ops
