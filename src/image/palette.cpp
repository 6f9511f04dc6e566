// SPDX-License-Identifier: Apache-2.0
#include "image/palette.h"

#include <cmath>
#include <opencv2/imgproc.hpp>
#include <span>

namespace fovea::image {

namespace {

/// road, sidewalk, building, wall, fence, pole, traffic light, traffic sign, vegetation, terrain, sky, person, rider, car,
/// truck, bus, train, motorcycle, bicycle
constexpr Color kCityscapes[] = {{128, 64, 128}, {244, 35, 232}, {70, 70, 70},   {102, 102, 156}, {190, 153, 153}, {153, 153, 153}, {250, 170, 30},
                                 {220, 220, 0},  {107, 142, 35}, {152, 251, 152}, {70, 130, 180}, {220, 20, 60},   {255, 0, 0},     {0, 0, 142},
                                 {0, 0, 70},     {0, 60, 100},   {0, 80, 100},    {0, 0, 230},    {119, 11, 32}};

/// Bits 0, 1, 2 of a class become the highest bits of red, green and blue, bits 3, 4, 5 the next ones, and so on.
std::vector<Color> pascal_voc() {
  std::vector<Color> colors(256, Color{});
  for (unsigned id = 0; id < 256; ++id) {
    for (unsigned bit = 0; bit < 8; ++bit) {
      std::uint8_t& level = colors[id][bit % 3];
      level = static_cast<std::uint8_t>(level | ((id >> bit & 1u) << (7 - bit / 3)));
    }
  }
  return colors;
}

/// A channel of the jet map: straight lines between (position, level).
std::uint8_t along(std::span<const std::array<double, 2>> line, double x) {
  std::size_t i = 1;
  while (i + 1 < line.size() && x > line[i][0]) ++i;
  const double share = (x - line[i - 1][0]) / (line[i][0] - line[i - 1][0]);
  // Some levels are halves but for rounding errors: these go up.
  return static_cast<std::uint8_t>(std::floor(255 * (line[i - 1][1] + share * (line[i][1] - line[i - 1][1])) + 0.5 + 1e-9));
}

std::vector<Color> jet() {
  static constexpr std::array<double, 2> kRed[] = {{0, 0}, {0.35, 0}, {0.66, 1}, {0.89, 1}, {1, 0.5}};
  static constexpr std::array<double, 2> kGreen[] = {{0, 0}, {0.125, 0}, {0.375, 1}, {0.64, 1}, {0.91, 0}, {1, 0}};
  static constexpr std::array<double, 2> kBlue[] = {{0, 0.5}, {0.11, 1}, {0.34, 1}, {0.65, 0}, {1, 0}};
  std::vector<Color> colors;
  for (int i = 0; i < 256; ++i) {
    const double x = i / 255.0;
    colors.push_back({along(kRed, x), along(kGreen, x), along(kBlue, x)});
  }
  return colors;
}

std::vector<Color> inferno() {
  cv::Mat levels(1, 256, CV_8U), colored;
  for (int i = 0; i < 256; ++i) levels.data[i] = static_cast<std::uint8_t>(i);
  cv::applyColorMap(levels, colored, cv::COLORMAP_INFERNO);
  std::vector<Color> colors;
  for (int i = 0; i < 256; ++i) colors.push_back({colored.data[3 * i + 2], colored.data[3 * i + 1], colored.data[3 * i]});
  return colors;
}

}  // namespace

std::optional<std::vector<Color>> named_palette(std::string_view name) {
  if (name == "distinct") return std::vector<Color>{};
  if (name == "cityscapes") return std::vector<Color>(std::begin(kCityscapes), std::end(kCityscapes));
  if (name == "pascal_voc") return pascal_voc();
  return std::nullopt;
}

const std::vector<Color>& color_map(ColorMap map) {
  static const std::vector<Color> kInferno = inferno(), kJet = jet();
  return map == ColorMap::Jet ? kJet : kInferno;
}

}  // namespace fovea::image
