// SPDX-License-Identifier: Apache-2.0
// example::PolarWarp: a picture around its centre, angles down, radii across. Turning the picture becomes a shift of rows,
// and with logarithmic radii scaling it becomes a shift of columns, which is why registration and rotation-invariant
// descriptors begin with it. One operator, one file.
//
//   x [N, C, H, W]  ->  y [N, C, A, R]        A = angles, or H where that is 0;  R = radii, or ceil(max(H, W) / 2)
//   y[n, c, a, r] = x[n, c] at ((H - 1) / 2 + rho sin(theta), (W - 1) / 2 + rho cos(theta)), bilinear, 0 outside
//   theta = 2 pi a / A;   rho = M (r + 1/2) / R  (linear)  or  M^((r + 1) / R)  (log);   M = max(1, min(H, W) / 2)
#include <fovea/plugin.hpp>

#include <cmath>
#include <numbers>

using namespace fovea::plugin;

namespace {

struct Position {
  double y, x;
};

/// Where output element (a, r) lies in a picture of h by w.
Position position(const AttributeView& attributes, const fovea_tensor& x, const fovea_tensor& y, std::int64_t a, std::int64_t r) {
  const auto h = static_cast<double>(x.extents[2]), w = static_cast<double>(x.extents[3]);
  const double largest = std::max(1.0, std::min(h, w) / 2), steps = static_cast<double>(y.extents[3]);
  const double rho = attributes.get_string("spacing") == "log" ? std::pow(largest, (static_cast<double>(r) + 1) / steps) : largest * (static_cast<double>(r) + 0.5) / steps;
  const double theta = 2 * std::numbers::pi * static_cast<double>(a) / static_cast<double>(y.extents[2]);
  return {(h - 1) / 2 + rho * std::sin(theta), (w - 1) / 2 + rho * std::cos(theta)};
}

struct PolarWarp {
  static constexpr const char *name = "example::PolarWarp", *version = "1.0.0", *summary = "a picture in polar or log-polar coordinates", *kernel = "tap_table";
  static inline const std::vector<Port> inputs = {{"x", types(FOVEA_F32)}}, outputs = {{"y"}};
  static inline const std::vector<Attribute> attributes = {Attribute::of("angles", 0), Attribute::of("radii", 0), Attribute::of("spacing", "log", {"log", "linear"})};

  /// Runs on symbols and on numbers alike: H may be an expression.
  static void infer(const Node& node) {
    const std::int64_t angles = node.attributes().get_int("angles"), radii = node.attributes().get_int("radii");
    if (angles < 0 || angles > 65536 || radii < 0 || radii > 65536) refuse("angles and radii: expected 0 to 65536, found " + std::to_string(angles) + " and " + std::to_string(radii));
    auto shape = node.shape(0);
    if (shape) {
      if (shape->size() != 4) refuse("x: expected N x C x H x W, found rank " + std::to_string(shape->size()));
      const Dim h = (*shape)[2], w = (*shape)[3];
      (*shape)[2] = angles > 0 ? node.number(angles) : h;
      (*shape)[3] = radii > 0 ? node.number(radii) : ceil_div(max(h, w), 2);
    }
    node.set_output(0, node.type(0), shape);
  }

  /// The plain version, straight from the formula: what the build compares run() with.
  static void reference(const Problem& problem) {
    const fovea_tensor &x = problem.input(0), &y = problem.output(0);
    const std::int64_t h = x.extents[2], w = x.extents[3], points = y.extents[2] * y.extents[3];
    for (std::int64_t plane = 0; plane < x.extents[0] * x.extents[1]; ++plane) {
      for (std::int64_t i = 0; i < points; ++i) {
        const Position at = position(problem.attributes(), x, y, i / y.extents[3], i % y.extents[3]);
        double sum = 0;
        for (const double row : {std::floor(at.y), std::floor(at.y) + 1}) {
          for (const double column : {std::floor(at.x), std::floor(at.x) + 1}) {
            const double weight = (1 - std::abs(at.y - row)) * (1 - std::abs(at.x - column));
            if (weight == 0 || row < 0 || column < 0 || row >= static_cast<double>(h) || column >= static_cast<double>(w)) continue;
            sum += weight * static_cast<double>(problem.in<float>(0)[(plane * h + static_cast<std::int64_t>(row)) * w + static_cast<std::int64_t>(column)]);
          }
        }
        problem.out<float>(0)[plane * points + i] = static_cast<float>(sum);
      }
    }
  }

  /// Once per shape: which pixels each point mixes, and how. All planes share it.
  explicit PolarWarp(const Problem& problem) {
    const fovea_tensor &x = problem.input(0), &y = problem.output(0);
    const std::int64_t h = x.extents[2], w = x.extents[3];
    taps_.resize(static_cast<std::size_t>(y.extents[2] * y.extents[3]));
    for (std::size_t i = 0; i < taps_.size(); ++i) {
      const Position at = position(problem.attributes(), x, y, static_cast<std::int64_t>(i) / y.extents[3], static_cast<std::int64_t>(i) % y.extents[3]);
      const double top = std::floor(at.y), left = std::floor(at.x);
      for (int corner = 0; corner < 4; ++corner) {
        const double row = top + corner / 2, column = left + corner % 2, weight = (1 - std::abs(at.y - row)) * (1 - std::abs(at.x - column));
        if (weight == 0 || row < 0 || column < 0 || row >= static_cast<double>(h) || column >= static_cast<double>(w)) continue;
        taps_[i].pixel[taps_[i].count] = static_cast<std::int64_t>(row) * w + static_cast<std::int64_t>(column);
        taps_[i].weight[taps_[i].count++] = static_cast<float>(weight);
      }
    }
  }

  /// A block of the table stays in the first-level cache while all planes pass over it.
  void run(const Problem& problem) {
    constexpr std::int64_t kBlock = 256;
    const fovea_tensor& x = problem.input(0);
    const auto planes = x.extents[0] * x.extents[1], pixels = x.extents[2] * x.extents[3], points = static_cast<std::int64_t>(taps_.size());
    const auto* src = problem.in<float>(0);
    auto* dst = problem.out<float>(0);
#pragma omp parallel for schedule(static) num_threads(problem.threads())
    for (std::int64_t begin = 0; begin < points; begin += kBlock) {
      for (std::int64_t plane = 0; plane < planes; ++plane) {
        for (std::int64_t i = begin; i < std::min(begin + kBlock, points); ++i) {
          const Tap& tap = taps_[static_cast<std::size_t>(i)];
          float sum = 0;
          for (int k = 0; k < tap.count; ++k) sum += tap.weight[k] * src[plane * pixels + tap.pixel[k]];
          dst[plane * points + i] = sum;
        }
      }
    }
  }

 private:
  struct Tap {
    std::int64_t pixel[4] = {};
    float weight[4] = {};
    int count = 0;  // fewer than 4 at the picture's edge
  };
  std::vector<Tap> taps_;
};

}  // namespace

FOVEA_PLUGIN("polar_warp", PolarWarp)
