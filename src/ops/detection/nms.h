// SPDX-License-Identifier: Apache-2.0
// Boxes and their overlap, for NonMaxSuppression and its relatives.
#pragma once

#include <algorithm>

namespace fovea::ops {

/// Corners in any unit, low <= high (NaN stays NaN and overlaps nothing).
struct Box {
  float x1, y1, x2, y2;

  /// Any two opposite corners (y, x, y, x) of ONNX.
  static Box from_corners(const float* v) {
    return {std::min(v[1], v[3]), std::min(v[0], v[2]), std::max(v[1], v[3]), std::max(v[0], v[2])};
  }
  /// Centre and size (x, y, width, height).
  static Box from_centre(const float* v) {
    return {v[0] - v[2] / 2, v[1] - v[3] / 2, v[0] + v[2] / 2, v[1] + v[3] / 2};
  }
  float area() const { return (x2 - x1) * (y2 - y1); }
};

/// Intersection over union strictly above the threshold, in float like every implementation. Boxes without area
/// never overlap.
inline bool overlaps(const Box& a, const Box& b, float threshold) {
  const float width = std::min(a.x2, b.x2) - std::max(a.x1, b.x1), height = std::min(a.y2, b.y2) - std::max(a.y1, b.y1);
  if (!(width > 0 && height > 0)) return false;
  const float intersection = width * height, total = a.area() + b.area() - intersection;
  return a.area() > 0 && b.area() > 0 && total > 0 && intersection / total > threshold;
}

}  // namespace fovea::ops
