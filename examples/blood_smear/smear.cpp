// SPDX-License-Identifier: Apache-2.0
#include "smear.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <opencv2/imgproc.hpp>

#include "random.h"

namespace blood_smear {

namespace {

constexpr double kPi = 3.141592653589793;
using Rgb = std::array<double, 3>;

double smoothstep(double low, double high, double x) {
  const double t = std::clamp((x - low) / (high - low), 0.0, 1.0);
  return t * t * (3 - 2 * t);
}

/// Soft patches: noise at the given grid size, about -1..1.
cv::Mat1f soft_noise(Random& random, int width, int height, double grid) {
  cv::Mat1f coarse(static_cast<int>(height / grid) + 3, static_cast<int>(width / grid) + 3);
  for (float& value : coarse) value = static_cast<float>(random.gauss(0.5));
  cv::Mat1f fine;
  cv::resize(coarse, fine, {}, grid, grid, cv::INTER_CUBIC);
  return fine(cv::Rect(static_cast<int>(grid / 2), static_cast<int>(grid / 2), width, height)).clone();
}

/// An outline that is nearly a circle or ellipse: distance of a point from the centre in units of the radius.
struct Outline {
  double cx = 0, cy = 0, rx = 1, ry = 1, turn = 0;
  std::array<double, 4> ripple{}, phase{};

  double at(double x, double y) const {
    const double dx = x - cx, dy = y - cy, c = std::cos(turn), s = std::sin(turn);
    const double u = (dx * c + dy * s) / rx, v = (dy * c - dx * s) / ry;
    const double angle = std::atan2(v, u);
    double radius = 1;
    for (int k = 0; k < 4; ++k) {
      const auto i = static_cast<std::size_t>(k);
      radius += ripple[i] * std::cos((k + 2) * angle + phase[i]);
    }
    return std::hypot(u, v) / radius;
  }
  double reach() const { return 1.35 * std::max(rx, ry); }
};

Outline make_outline(Random& random, double cx, double cy, double radius, double squeeze, double roughness) {
  Outline outline{cx, cy, radius * random.uniform(0.94, 1.06), radius * random.uniform(0.94, 1.06), random.uniform(0, kPi), {}, {}};
  outline.ry *= squeeze;
  for (std::size_t k = 0; k < 4; ++k) {
    outline.ripple[k] = random.gauss(roughness) / (1.0 + static_cast<double>(k));
    outline.phase[k] = random.uniform(0, 2 * kPi);
  }
  return outline;
}

/// What lies on the slide so far, pixel by pixel.
class Slide {
 public:
  explicit Slide(const Options& options)
      : options_(options), random_(options.seed), red_(options.height, options.width, 0.f), red_tint_(options.height, options.width, cv::Vec3f()),
        stain_(options.height, options.width, cv::Vec3f()), glow_(options.height, options.width, 0.f) {}

  Smear finish() {
    place();
    Smear smear{develop(), std::move(cells_)};
    return smear;
  }

 private:
  struct Spot {
    double x, y, radius;
  };

  /// Calls f(x, y, r) for each pixel near the outline; r is 1 on it.
  template <class F>
  void each_pixel(const Outline& outline, F f) {
    const double reach = outline.reach() + 8;
    const int x0 = std::max(0, static_cast<int>(outline.cx - reach)), x1 = std::min(options_.width - 1, static_cast<int>(outline.cx + reach));
    const int y0 = std::max(0, static_cast<int>(outline.cy - reach)), y1 = std::min(options_.height - 1, static_cast<int>(outline.cy + reach));
    for (int y = y0; y <= y1; ++y) {
      for (int x = x0; x <= x1; ++x) f(x, y, outline.at(x + 0.5, y + 0.5));
    }
  }

  void add_box(const char* label, const Outline& outline) {
    // Extent of the outline, and how much of it lies in the picture.
    double whole = 0, inside = 0;
    std::array<float, 4> box = {1e9f, 1e9f, -1e9f, -1e9f};
    const int reach = static_cast<int>(outline.reach()) + 1;
    for (int y = static_cast<int>(outline.cy) - reach; y <= outline.cy + reach; ++y) {
      for (int x = static_cast<int>(outline.cx) - reach; x <= outline.cx + reach; ++x) {
        if (outline.at(x + 0.5, y + 0.5) > 1) continue;
        ++whole;
        if (x < 0 || y < 0 || x >= options_.width || y >= options_.height) continue;
        ++inside;
        box = {std::min(box[0], static_cast<float>(x)), std::min(box[1], static_cast<float>(y)), std::max(box[2], static_cast<float>(x + 1)),
               std::max(box[3], static_cast<float>(y + 1))};
      }
    }
    if (whole > 0 && inside > 0.35 * whole) cells_.push_back({label, box});
  }

  /// A biconcave disc: thick ring, thin middle; some have been flattened and show no middle.
  void red_cell(double cx, double cy, double radius) {
    const double squeeze = random_.chance(0.25) ? random_.uniform(0.68, 0.9) : random_.uniform(0.9, 1.05);
    const Outline outline = make_outline(random_, cx, cy, radius, squeeze, 0.018);
    const double soft = random_.uniform(1.3, 3.2) / radius;
    const double hole = random_.uniform(0.3, 0.58), slope = random_.uniform(0.14, 0.34);
    const double pale = random_.chance(0.28) ? random_.uniform(0.0, 0.12) : random_.uniform(0.3, 0.78);
    const double dense = random_.uniform(0.78, 1.2), rim = random_.uniform(0.08, 0.26);
    const double shift_x = random_.gauss(0.07) * radius, shift_y = random_.gauss(0.07) * radius;
    const Rgb tint = {0.100 + random_.gauss(0.010), 0.345 + random_.gauss(0.012), 0.385 + random_.gauss(0.014)};
    Outline middle = outline;
    middle.cx += shift_x;
    middle.cy += shift_y;
    each_pixel(outline, [&](int x, int y, double r) {
      const double edge = 1 - smoothstep(1 - soft, 1 + soft, r);
      // A thin bright line just outside: light bent at the edge.
      glow_(y, x) += static_cast<float>(0.035 * std::exp(-std::pow((r - 1.06) / 0.035, 2)));
      if (edge <= 0) return;
      const double m = middle.at(x + 0.5, y + 0.5);
      const double dip = 1 - smoothstep(hole - slope, hole + slope, m);
      const double ring = rim * std::exp(-std::pow((r - 0.93) / 0.05, 2));
      const double dome = 0.9 + 0.1 * (1 - r * r);
      const double thickness = dense * edge * (dome * (1 - pale * dip) + ring);
      red_(y, x) += static_cast<float>(thickness);
      for (int c = 0; c < 3; ++c) red_tint_(y, x)[c] += static_cast<float>(thickness * tint[static_cast<std::size_t>(c)]);
    });
    if (random_.chance(0.12)) refractile_spot(cx + random_.gauss(0.25) * radius, cy + random_.gauss(0.25) * radius, radius * random_.uniform(0.08, 0.14));
    add_box("RBC", outline);
  }

  /// A drying artefact: a bright bead with a dark violet line around it.
  void refractile_spot(double cx, double cy, double radius) {
    const Outline outline = make_outline(random_, cx, cy, radius, random_.uniform(0.6, 1), 0.05);
    each_pixel(outline, [&](int x, int y, double r) {
      const double line = 0.45 * std::exp(-std::pow((r - 1) / 0.28, 2));
      stain_(y, x) += cv::Vec3f(0.8f, 1.0f, 0.55f) * static_cast<float>(line);
      glow_(y, x) += static_cast<float>(0.22 * (1 - smoothstep(0.3, 0.8, r)));
    });
  }

  /// Granular pale body, violet nucleus of one to five joined lobes.
  void white_cell(double cx, double cy, double radius) {
    const Outline body = make_outline(random_, cx, cy, radius, random_.uniform(0.86, 1.0), 0.03);
    const int lobes = random_.whole(2, 5);
    // Lobes on an arc around the middle, more of them smaller.
    const double start = random_.uniform(0, 2 * kPi), step = std::min(2.4, 5.4 / lobes) * random_.uniform(0.85, 1), away = radius * random_.uniform(0.34, 0.44);
    const double size = radius * (0.46 - 0.035 * lobes);
    std::vector<Outline> nucleus;
    for (int k = 0; k < lobes; ++k) {
      const double angle = start + k * step;
      nucleus.push_back(make_outline(random_, cx + away * std::cos(angle), cy + away * std::sin(angle), size * random_.uniform(0.85, 1.2),
                                     random_.uniform(0.7, 1.0), 0.04));
    }
    const cv::Mat1f grain = soft_noise(random_, options_.width, options_.height, 3.2), clots = soft_noise(random_, options_.width, options_.height, 7);
    const double soft = 3.5 / radius, cytoplasm = random_.uniform(0.8, 1.25);
    const Rgb pale = {0.10, 0.235, 0.055}, violet = {0.60, 0.80, 0.17};
    each_pixel(body, [&](int x, int y, double r) {
      const double edge = 1 - smoothstep(1 - 2 * soft, 1 + soft, r);
      if (edge <= 0) return;
      // Lobes joined by thin bridges: a soft union of their distances.
      double field = 0;
      for (const Outline& lobe : nucleus) field += std::exp(-5 * (lobe.at(x + 0.5, y + 0.5) - 1));
      const double inside = smoothstep(0.72, 1.25, field);
      const double mottle = 1 + 0.26 * clots(y, x) + 0.10 * grain(y, x), speckle = 1 + 0.30 * grain(y, x);
      const double wrinkle = 1 + 0.14 * std::exp(-std::pow((field - 1.5) / 0.5, 2));
      red_(y, x) *= static_cast<float>(1 - 0.85 * edge);
      red_tint_(y, x) *= static_cast<float>(1 - 0.85 * edge);
      for (int c = 0; c < 3; ++c) {
        const auto i = static_cast<std::size_t>(c);
        stain_(y, x)[c] += static_cast<float>(edge * (cytoplasm * pale[i] * speckle * (1 - inside) + violet[i] * mottle * wrinkle * inside));
      }
    });
    add_box("WBC", body);
  }

  void platelet(double cx, double cy, double radius) {
    const Outline outline = make_outline(random_, cx, cy, radius, random_.uniform(0.7, 1), 0.09);
    const cv::Mat1f grain = soft_noise(random_, options_.width, options_.height, 3.5);
    const double dense = random_.uniform(0.55, 1.0), soft = random_.uniform(0.16, 0.3);
    each_pixel(outline, [&](int x, int y, double r) {
      const double edge = 1 - smoothstep(1 - soft, 1 + soft, r);
      const double core = 1 - smoothstep(0.2, 0.85, r);
      const double amount = dense * edge * (0.55 + 0.55 * core) * (1 + 0.35 * grain(y, x));
      stain_(y, x) += cv::Vec3f(0.46f, 0.60f, 0.17f) * static_cast<float>(std::max(0.0, amount));
    });
    add_box("Platelets", outline);
  }

  void place() {
    const double radius = options_.cell_diameter / 2, w = options_.width, h = options_.height;
    std::vector<Spot> whites, reds;
    const int white_count = 1 + (random_.chance(0.35) ? 1 : 0);
    for (int tries = 0; static_cast<int>(whites.size()) < white_count && tries < 200; ++tries) {
      const Spot spot{random_.uniform(0.2, 0.8) * w, random_.uniform(0.22, 0.78) * h, radius * random_.uniform(1.65, 1.95)};
      const bool free = std::none_of(whites.begin(), whites.end(), [&](const Spot& o) { return std::hypot(o.x - spot.x, o.y - spot.y) < 1.2 * (o.radius + spot.radius); });
      if (free) whites.push_back(spot);
    }
    // Red cells: half of them lean on an earlier one, so that clumps and open places arise.
    const double area = (w + 2 * radius) * (h + 2 * radius);
    const int red_count = static_cast<int>(options_.coverage * area / (kPi * radius * radius));
    for (int tries = 0; static_cast<int>(reds.size()) < red_count && tries < 20000; ++tries) {
      Spot spot{random_.uniform(-0.8 * radius, w + 0.8 * radius), random_.uniform(-0.8 * radius, h + 0.8 * radius), radius * random_.uniform(0.84, 1.1)};
      if (!reds.empty() && random_.chance(0.55)) {
        const Spot& near = reds[static_cast<std::size_t>(random_.whole(0, static_cast<int>(reds.size()) - 1))];
        const double angle = random_.uniform(0, 2 * kPi), gap = random_.uniform(0.74, 1.04) * (near.radius + spot.radius);
        spot.x = near.x + gap * std::cos(angle);
        spot.y = near.y + gap * std::sin(angle);
      }
      if (spot.x < -radius || spot.y < -radius || spot.x > w + radius || spot.y > h + radius) continue;
      const auto crowds = [&](double share) {
        return [&, share](const Spot& o) { return std::hypot(o.x - spot.x, o.y - spot.y) < share * (o.radius + spot.radius); };
      };
      if (std::any_of(reds.begin(), reds.end(), crowds(0.72)) || std::any_of(whites.begin(), whites.end(), crowds(0.9))) continue;
      reds.push_back(spot);
    }
    for (const Spot& spot : reds) red_cell(spot.x, spot.y, spot.radius);
    for (const Spot& spot : whites) white_cell(spot.x, spot.y, spot.radius);
    const int platelets = random_.whole(3, 6);
    for (int made = 0, tries = 0; made < platelets && tries < 500; ++tries) {
      const Spot spot{random_.uniform(0.05, 0.95) * w, random_.uniform(0.05, 0.95) * h, radius * random_.uniform(0.26, 0.4)};
      const auto covers = [&](const Spot& o) { return std::hypot(o.x - spot.x, o.y - spot.y) < o.radius + 1.05 * spot.radius; };
      if (std::any_of(whites.begin(), whites.end(), covers) || (std::any_of(reds.begin(), reds.end(), covers) && tries < 300)) continue;
      platelet(spot.x, spot.y, spot.radius);
      reds.push_back(spot);
      ++made;
    }
  }

  /// Lamp, plasma film, absorption, lens and camera.
  fovea::image::Picture develop() {
    const int w = options_.width, h = options_.height;
    const cv::Mat1f patches = soft_noise(random_, w, h, 110), film = soft_noise(random_, w, h, 38);
    const double lamp_x = random_.uniform(0.4, 0.6) * w, lamp_y = random_.uniform(0.4, 0.6) * h;
    const Rgb lamp = {212 + random_.gauss(3), 213 + random_.gauss(3), 208 + random_.gauss(4)};
    cv::Mat3f light(h, w);
    for (int y = 0; y < h; ++y) {
      for (int x = 0; x < w; ++x) {
        const double far = std::pow((x - lamp_x) / w, 2) + std::pow((y - lamp_y) / h, 2);
        const double level = (1 - 0.22 * far) * (1 + 0.014 * patches(y, x) + 0.010 * film(y, x));
        // Layers of red cells shade each other less than they add up to.
        const double thickness = red_(y, x), seen = 2.2 * (1 - std::exp(-thickness / 2.2));
        for (int c = 0; c < 3; ++c) {
          const double tint = thickness > 1e-6 ? red_tint_(y, x)[c] / thickness : 0;
          const double plasma = (c == 1 ? 0.012 : c == 2 ? 0.008 : 0.004) * (1 + film(y, x));
          const double density = 1.12 * tint * seen + stain_(y, x)[c] + plasma;
          light(y, x)[c] = static_cast<float>(lamp[static_cast<std::size_t>(c)] * level * (std::exp(-density) + glow_(y, x)));
        }
      }
    }
    cv::GaussianBlur(light, light, {}, 1.1);
    fovea::image::Picture picture(w, h);
    for (int y = 0; y < h; ++y) {
      for (int x = 0; x < w; ++x) {
        const double grey = random_.gauss(1.5);
        for (int c = 0; c < 3; ++c) {
          picture.row(y)[3 * x + c] = static_cast<std::uint8_t>(std::clamp(std::lround(light(y, x)[c] + grey + random_.gauss(1.1)), 0l, 255l));
        }
      }
    }
    return picture;
  }

  Options options_;
  Random random_;
  cv::Mat1f red_;        // thickness of red cells
  cv::Mat3f red_tint_;   // thickness times tint
  cv::Mat3f stain_;      // optical density of everything violet
  cv::Mat1f glow_;       // light added by refraction
  std::vector<Cell> cells_;
};

}  // namespace

Smear draw(const Options& options) { return Slide(options).finish(); }

std::string to_json(const Smear& smear, const std::string& image) {
  std::string text = "{\"image\": \"" + image + "\", \"detections\": [";
  char row[160];
  for (std::size_t i = 0; i < smear.cells.size(); ++i) {
    const Cell& cell = smear.cells[i];
    std::snprintf(row, sizeof row, "%s\n  {\"label\": \"%s\", \"box\": [%g, %g, %g, %g]}", i ? "," : "", cell.label, double(cell.box[0]),
                  double(cell.box[1]), double(cell.box[2]), double(cell.box[3]));
    text += row;
  }
  return text + "\n]}\n";
}

}  // namespace blood_smear
