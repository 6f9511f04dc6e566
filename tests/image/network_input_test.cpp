// SPDX-License-Identifier: Apache-2.0
// Resizing, letterboxing and normalising.
#include "image/network_input.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "base/float_types.h"
#include "image/draw.h"

namespace fovea::image {
namespace {

Picture noise(int width, int height) {
  Picture picture(width, height);
  std::uint32_t state = 1;
  for (auto& value : picture.pixels) value = static_cast<std::uint8_t>((state = state * 1664525u + 1013904223u) >> 24);
  return picture;
}

/// The definition of bilinear interpolation, in double.
double bilinear(const Picture& p, double x, double y, int c) {
  const auto at = [&](int px, int py) { return double(p.row(std::clamp(py, 0, p.height - 1))[3 * std::clamp(px, 0, p.width - 1) + c]); };
  const double fx = x - 0.5, fy = y - 0.5;
  const int ix = static_cast<int>(std::floor(fx)), iy = static_cast<int>(std::floor(fy));
  const double ax = fx - ix, ay = fy - iy;
  return (at(ix, iy) * (1 - ax) + at(ix + 1, iy) * ax) * (1 - ay) + (at(ix, iy + 1) * (1 - ax) + at(ix + 1, iy + 1) * ax) * ay;
}

TEST(Resample, BilinearIsWithinOneLevelOfItsDefinition) {
  const Picture source = noise(33, 20);
  for (const auto& [w, h] : {std::pair(66, 40), std::pair(17, 9), std::pair(33, 7), std::pair(100, 3), std::pair(1, 1)}) {
    const Picture target = resample(source, w, h, Filter::Bilinear, false);
    for (int y = 0; y < h; ++y) {
      for (int x = 0; x < 3 * w; ++x) {
        const double expected = bilinear(source, (x / 3 + 0.5) * source.width / w, (y + 0.5) * source.height / h, x % 3);
        ASSERT_NEAR(target.row(y)[x], expected, 0.75) << w << "x" << h << " at " << x / 3 << "," << y;
      }
    }
  }
}

TEST(Resample, FlatStaysFlatWithEveryFilter) {
  const Picture source(31, 17, {255, 128, 1});
  for (const Filter filter : {Filter::Nearest, Filter::Bilinear, Filter::Bicubic, Filter::Area}) {
    for (const bool antialias : {false, true}) {
      for (const auto& [w, h] : {std::pair(7, 5), std::pair(64, 99), std::pair(30, 18), std::pair(1, 1)}) {
        EXPECT_EQ(resample(source, w, h, filter, antialias), Picture(w, h, {255, 128, 1})) << static_cast<int>(filter) << " " << w << "x" << h;
      }
    }
  }
}

TEST(Resample, AreaIsTheMean) {
  Picture source(2, 2);
  source.pixels = {0, 0, 0, 10, 0, 4, 20, 0, 4, 30, 0, 4};
  EXPECT_EQ(resample(source, 1, 1, Filter::Area, false).pixels, (std::vector<std::uint8_t>{15, 0, 3}));
}

TEST(Resample, AntialiasedGivesPillowsBytes) {
  // What Pillow makes of noise(7, 5), rows first; tests/recipes compares many more.
  const Picture source = noise(7, 5);
  EXPECT_EQ(resample(source, 3, 2, Filter::Bilinear, true).pixels,
            (std::vector<std::uint8_t>{82, 98, 115, 161, 119, 100, 170, 174, 124, 97, 136, 162, 144, 162, 97, 138, 143, 91}));
  EXPECT_EQ(resample(source, 3, 2, Filter::Bicubic, true).pixels,
            (std::vector<std::uint8_t>{77, 93, 112, 166, 116, 97, 174, 176, 124, 94, 141, 168, 148, 165, 92, 132, 138, 89}));
  EXPECT_EQ(resample(source, 2, 7, Filter::Bicubic, true).pixels,
            (std::vector<std::uint8_t>{155, 82, 76, 193, 173, 62, 120, 77, 111, 197, 175, 142, 81, 102, 122, 172, 151, 161, 71, 160, 91,
                                       117, 103, 56, 108, 131, 172, 163, 146, 80, 134, 147, 162, 152, 165, 94, 142, 184, 104, 109, 161, 92}));
}

TEST(NetworkInput, LetterboxIsCentredAndMapsBack) {
  const Picture picture = noise(640, 480);
  InputSpec spec;
  spec.width = spec.height = 416;
  const auto input = make_network_input(picture, spec);
  ASSERT_TRUE(input.ok()) << input.status().to_string();
  EXPECT_EQ(input->tensor.shape(), (Shape{1, 3, 416, 416}));
  EXPECT_EQ(input->tensor.data<float>()[0], 114.0f) << "fill above the picture";
  EXPECT_EQ(input->transform.shift_y, 52);
  EXPECT_EQ(input->transform.scale_x, 0.65);
  const ImageTransform& t = input->transform;
  EXPECT_EQ(t.box_to_picture({0, 52, 416, 364}), (std::array<double, 4>{0, 0, 640, 480}));
  EXPECT_EQ(t.clip_to_picture(t.box_to_picture({-50, 0, 500, 500})), (std::array<double, 4>{0, 0, 640, 480}));
}

TEST(NetworkInput, OrderOfChannelsAndNormalisation) {
  const Picture picture(2, 2, {10, 20, 30});
  InputSpec spec;
  spec.width = spec.height = 2;
  spec.fit = Fit::Stretch;
  spec.channels = Channels::Bgr;
  spec.order = Order::Nhwc;
  spec.scale = 0.5;
  spec.mean = {1, 2, 3};
  spec.std = {2, 4, 8};
  const auto input = make_network_input(picture, spec);
  ASSERT_TRUE(input.ok());
  EXPECT_EQ(input->tensor.shape(), (Shape{1, 2, 2, 3}));
  const float* values = input->tensor.data<float>();
  EXPECT_EQ(values[0], (30 * 0.5f - 1) / 2);
  EXPECT_EQ(values[1], (20 * 0.5f - 2) / 4);
  EXPECT_EQ(values[2], (10 * 0.5f - 3) / 8);
}

TEST(NetworkInput, TypesAndGray) {
  const Picture picture(3, 2, {255, 0, 0});
  InputSpec spec;
  spec.width = 3;
  spec.height = 2;
  spec.fit = Fit::Stretch;
  spec.channels = Channels::Gray;
  spec.type = DataType::u8;
  EXPECT_EQ(make_network_input(picture, spec)->tensor.data<std::uint8_t>()[0], 76);
  spec.type = DataType::f16;
  EXPECT_EQ(static_cast<float>(make_network_input(picture, spec)->tensor.data<Half>()[0]), 76.0f);
  spec.type = DataType::i64;
  EXPECT_FALSE(make_network_input(picture, spec).ok());
}

TEST(NetworkInput, CropTakesTheMiddle) {
  Picture picture(8, 4, {0, 0, 0});
  for (int y = 0; y < 4; ++y) std::memset(picture.row(y) + 3 * 2, 200, 3 * 4);
  InputSpec spec;
  spec.width = spec.height = 4;
  spec.fit = Fit::Crop;
  const auto input = make_network_input(picture, spec);
  ASSERT_TRUE(input.ok());
  for (float value : input->tensor.values<float>()) ASSERT_EQ(value, 200.0f);
  EXPECT_EQ(input->transform.to_picture_x(0), 2);
}

TEST(NetworkInput, PadKeepsPixels) {
  InputSpec spec;
  spec.fit = Fit::Pad;
  spec.multiple_of = 32;
  const auto input = make_network_input(noise(33, 64), spec);
  ASSERT_TRUE(input.ok());
  EXPECT_EQ(input->tensor.shape(), (Shape{1, 3, 64, 64}));
  EXPECT_EQ(input->transform.scale_x, 1);
}

TEST(NetworkInput, RepeatedBitForBit) {
  const Picture picture = noise(123, 77);
  InputSpec spec;
  spec.width = 224;
  spec.height = 160;
  spec.mean = {0.485, 0.456, 0.406};
  const auto a = make_network_input(picture, spec), b = make_network_input(picture, spec);
  EXPECT_EQ(std::memcmp(a->tensor.raw(), b->tensor.raw(), a->tensor.bytes()), 0);
}

TEST(NetworkInput, SillySizesAreRefused) {
  InputSpec spec;
  EXPECT_FALSE(make_network_input(noise(4, 4), spec).ok()) << "no size";
  spec.width = spec.height = 1 << 20;
  EXPECT_FALSE(make_network_input(noise(4, 4), spec).ok());
  spec.width = spec.height = 4000;
  spec.fit = Fit::Crop;
  EXPECT_FALSE(make_network_input(noise(2000, 1), spec).ok());
  EXPECT_FALSE(make_network_input(Picture(), spec).ok());
}

TEST(Draw, StaysInsideThePicture) {
  Picture picture(60, 40, {100, 100, 100});
  const LabelledBox boxes[] = {{{-100, -100, 1e9f, 1e9f}, "far \xc3\xa4 out", {1, 2, 3}, {{-5, NAN}}},
                               {{NAN, NAN, INFINITY, -INFINITY}, std::string(500, 'x'), {1, 2, 3}, {}},
                               {{50, 30, 10, 5}, "", {1, 2, 3}, {}}};
  draw_boxes(picture, boxes);
  draw_mask(picture, std::vector<std::int32_t>(60 * 40, -7));
  draw_mask(picture, std::vector<std::int32_t>(100000, 2147483647));
  draw_text(picture, std::vector<std::string>(100, "line"));
  const std::vector<float> depth = {1, 2, NAN, INFINITY};
  const Picture map = depth_picture(depth, 2, 2, {}, depth_range(depth, {}));
  EXPECT_EQ(map.row(1)[0] + map.row(1)[1] + map.row(1)[2], 0) << "not a number is black";
}

}  // namespace
}  // namespace fovea::image
