// SPDX-License-Identifier: Apache-2.0
// Sizes and places of pictures on a network's input, against the rules of those who trained the networks.
#include "image/placement.h"

#include <gtest/gtest.h>

#include "image/subpixel.h"

namespace fovea::image {
namespace {

InputSpec with_fit(Fit fit, int width, int height) {
  InputSpec spec;
  spec.fit = fit;
  spec.width = width;
  spec.height = height;
  return spec;
}

TEST(Placement, ShorterSideFollowsDetr) {
  InputSpec spec = with_fit(Fit::ShorterSide, 0, 0);
  spec.shorter_side = 800;
  spec.longer_side = 1333;
  const struct {
    int width, height, to_height, to_width;
  } kRows[] = {{640, 480, 800, 1066}, {640, 426, 800, 1201}, {500, 333, 800, 1201}, {427, 640, 1199, 800}, {1280, 400, 417, 1334}, {800, 800, 800, 800}};
  for (const auto& row : kRows) {
    const auto p = place(row.width, row.height, spec);
    ASSERT_TRUE(p.ok()) << p.status().to_string();
    EXPECT_EQ(p->width, row.to_width) << row.width << "x" << row.height;
    EXPECT_EQ(p->height, row.to_height) << row.width << "x" << row.height;
    EXPECT_EQ(p->inner_width, p->width);
  }
}

TEST(Placement, CropCutsTheLongerSideAndRoundsHalfToEven) {
  InputSpec spec = with_fit(Fit::Crop, 224, 224);
  spec.shorter_side = 256;
  const auto p = place(500, 375, spec);  // 256 * 500 / 375 = 341.33
  EXPECT_EQ(p->inner_width, 341);
  EXPECT_EQ(p->inner_height, 256);
  EXPECT_EQ(p->left, -58) << "58.5 to even";
  EXPECT_EQ(p->top, -16);
  spec.shorter_side = 219;  // smaller than the crop: 5 missing, 2 of them before
  EXPECT_EQ(place(219, 219, spec)->left, 2);
}

TEST(Placement, InnerSizeIsCentredOnTheInput) {
  InputSpec spec = with_fit(Fit::Letterbox, 672, 672);
  spec.inner_width = spec.inner_height = 640;
  const auto p = place(1280, 720, spec);
  EXPECT_EQ(p->inner_width, 640);
  EXPECT_EQ(p->inner_height, 360);
  EXPECT_EQ(p->left, 16);
  EXPECT_EQ(p->top, 156);
  spec.inner_width = 700;
  EXPECT_FALSE(place(1280, 720, spec).ok());
}

TEST(Placement, ImpossibleSizesAreErrors) {
  EXPECT_FALSE(place(10, 10, with_fit(Fit::Stretch, 0, 5)).ok());
  InputSpec spec = with_fit(Fit::ShorterSide, 0, 0);
  spec.shorter_side = 800;
  EXPECT_FALSE(place(1, 16384, spec).ok());
}

TEST(Subpixel, HalfPixelsBlendPictureAndRim) {
  // One column of 100 in the middle of four: half a pixel left and right.
  Picture picture(1, 4, {100, 100, 100});
  InputSpec spec = with_fit(Fit::Letterbox, 4, 4);
  spec.fill = {0, 20, 200};
  ImageTransform t;
  const Picture made = letterbox_subpixel(picture, spec, t);
  for (int y = 0; y < 4; ++y) {
    EXPECT_EQ(made.row(y)[0], 0);
    EXPECT_EQ(made.row(y)[3], 50);
    EXPECT_EQ(made.row(y)[4], 60);
    EXPECT_EQ(made.row(y)[8], 150);
    EXPECT_EQ(made.row(y)[11], 200);
  }
  EXPECT_EQ(t.shift_x, 1.5);
  EXPECT_EQ(t.scale_x, 1);
  EXPECT_EQ(t.to_picture_x(2), 0.5);
}

TEST(Subpixel, HalvesOfALevelRoundUp) {
  Picture picture(2, 2);
  for (int y = 0; y < 2; ++y) picture.row(y)[3] = 1;
  ImageTransform t;
  const Picture made = letterbox_subpixel(picture, with_fit(Fit::Letterbox, 1, 1), t);
  EXPECT_EQ(made.row(0)[0], 1) << "the mean of 0 and 1";
}

TEST(Subpixel, ScaleOneIsACopy) {
  Picture picture(3, 5);
  for (std::size_t i = 0; i < picture.pixels.size(); ++i) picture.pixels[i] = static_cast<std::uint8_t>(17 * i);
  InputSpec spec = with_fit(Fit::Letterbox, 9, 9);
  spec.inner_width = spec.inner_height = 5;
  ImageTransform t;
  const Picture made = letterbox_subpixel(picture, spec, t);
  EXPECT_EQ(made.row(2)[9], picture.pixels[0]);
  EXPECT_EQ(made.row(6)[17], picture.pixels[44]);
  EXPECT_EQ(made.row(1)[9], 114);
}

}  // namespace
}  // namespace fovea::image
