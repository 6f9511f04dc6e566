// SPDX-License-Identifier: Apache-2.0
// Colours of classes and depths, and pictures put together.
#include <gtest/gtest.h>

#include <cmath>

#include "image/draw.h"
#include "image/palette.h"

namespace fovea::image {
namespace {

TEST(Palette, NamesAndColours) {
  EXPECT_FALSE(named_palette("rainbow"));
  for (const char* name : kPaletteNames) EXPECT_TRUE(named_palette(name)) << name;
  EXPECT_EQ(named_palette("cityscapes")->size(), 19u);
  EXPECT_EQ(named_palette("cityscapes")->at(13), (Color{0, 0, 142})) << "car";
  const auto voc = *named_palette("pascal_voc");
  EXPECT_EQ(voc[1], (Color{128, 0, 0}));
  EXPECT_EQ(voc[15], (Color{192, 128, 128}));
  EXPECT_EQ(voc[20], (Color{0, 64, 128}));
}

TEST(DrawMask, BackgroundAndClassesWithoutColourStayClear) {
  const Color gray = {100, 100, 100};
  Picture picture(4, 1, gray);
  const MaskPaint paint{{{0, 0, 0}, {200, 0, 0}}, 0, 1.0};
  draw_mask(picture, std::vector<std::int32_t>{0, 1, 2, -1}, paint);
  EXPECT_EQ(picture.pixels, (std::vector<std::uint8_t>{100, 100, 100, 200, 0, 0, 100, 100, 100, 100, 100, 100}));
  EXPECT_EQ(painted_color({{{1, 2, 3}}, -1, 0.5}, 0), (Color{1, 2, 3})) << "no background";
}

TEST(DepthPicture, NearIsTheUpperEnd) {
  const std::vector<float> values = {0, 80, 100, NAN};
  const DepthPaint paint{false, ColorMap::Jet, std::array<double, 2>{0, 80}};
  const auto range = depth_range(values, paint);
  const Picture far_is_blue = depth_picture(values, 4, 1, paint, range);
  EXPECT_EQ(far_is_blue.pixels, (std::vector<std::uint8_t>{128, 0, 0, 0, 0, 128, 0, 0, 128, 0, 0, 0}));
  const Picture turned = depth_picture(values, 4, 1, {true, ColorMap::Jet, paint.range}, range);
  EXPECT_EQ(turned.row(0)[2], 128) << "larger is nearer";
}

TEST(Draw, MapsOnTinyPictures) {
  Picture tiny(3, 2);
  const std::vector<std::pair<Color, std::string>> rows(40, {{1, 2, 3}, "a label that is far too long"});
  draw_legend(tiny, rows);
  draw_depth_scale(tiny, {}, {0, 1}, "m");
  Picture large(300, 90);
  draw_legend(large, rows);
  EXPECT_NE(large, Picture(300, 90));
  EXPECT_EQ(side_by_side(Picture(2, 2), Picture(3, 2, {9, 9, 9})).row(1)[6], 9);
}

}  // namespace
}  // namespace fovea::image
