// SPDX-License-Identifier: Apache-2.0
#include "ops/detection/rotated_box.h"

#include <cmath>

namespace fovea::ops {

namespace {

/// A convex polygon of at most 8 corners: a rectangle gains one with each of four cuts.
struct Polygon {
  int count = 0;
  double x[8], y[8];

  void add(double px, double py) {
    if (count < 8) x[count] = px, y[count++] = py;
  }
  /// What lies on the side a * x + b * y <= limit.
  Polygon cut(double a, double b, double limit) const {
    Polygon rest;
    for (int i = 0; i < count; ++i) {
      const int next = i + 1 == count ? 0 : i + 1;
      const double here = a * x[i] + b * y[i] - limit, there = a * x[next] + b * y[next] - limit;
      if (here <= 0) rest.add(x[i], y[i]);
      if ((here < 0 && there > 0) || (here > 0 && there < 0)) {
        const double t = here / (here - there);
        rest.add(x[i] + t * (x[next] - x[i]), y[i] + t * (y[next] - y[i]));
      }
    }
    return rest;
  }
  double area() const {
    double twice = 0;
    for (int i = 2; i < count; ++i) twice += (x[i - 1] - x[0]) * (y[i] - y[0]) - (x[i] - x[0]) * (y[i - 1] - y[0]);
    return std::fabs(twice) / 2;
  }
};

}  // namespace

RotatedBox RotatedBox::from(const float* v) {
  return {v[0], v[1], v[2], v[3], std::cos(static_cast<double>(v[4])), std::sin(static_cast<double>(v[4]))};
}

double intersection_area(const RotatedBox& a, const RotatedBox& b) {
  if (!(a.width > 0 && a.height > 0 && b.width > 0 && b.height > 0)) return 0;
  // Circles around both that do not meet: the usual case.
  const double dx = b.x - a.x, dy = b.y - a.y, reach = std::hypot(a.width, a.height) + std::hypot(b.width, b.height);
  if (!(4 * (dx * dx + dy * dy) <= reach * reach)) return 0;
  // b as seen from a: centre (cx, cy), half edges (ux, uy) and (vx, vy).
  const double cosine = a.cosine * b.cosine + a.sine * b.sine, sine = a.cosine * b.sine - a.sine * b.cosine;
  const double cx = a.cosine * dx + a.sine * dy, cy = a.cosine * dy - a.sine * dx;
  const double ux = cosine * b.width / 2, uy = sine * b.width / 2, vx = -sine * b.height / 2,
               vy = cosine * b.height / 2;
  Polygon polygon;
  polygon.add(cx - ux - vx, cy - uy - vy);
  polygon.add(cx + ux - vx, cy + uy - vy);
  polygon.add(cx + ux + vx, cy + uy + vy);
  polygon.add(cx - ux + vx, cy - uy + vy);
  polygon = polygon.cut(1, 0, a.width / 2).cut(-1, 0, a.width / 2).cut(0, 1, a.height / 2).cut(0, -1, a.height / 2);
  return polygon.area();
}

bool overlaps(const RotatedBox& a, const RotatedBox& b, double threshold) {
  const double intersection = intersection_area(a, b), total = a.area() + b.area() - intersection;
  return intersection > 0 && total > 0 && intersection / total > threshold;
}

}  // namespace fovea::ops
