// SPDX-License-Identifier: Apache-2.0
// Picture files: what is whole is read, what is cut, damaged or too large is refused.
#include "image/picture_file.h"

#include <gtest/gtest.h>
#include <unistd.h>
#include <zlib.h>

#include <cstdlib>
#include <random>

#include "base/file.h"

namespace fovea::image {
namespace {

std::span<const std::byte> bytes_of(const std::string& text) { return std::as_bytes(std::span(text)); }

std::filesystem::path shared_images() {
  const char* given = std::getenv("FOVEA_SHARED");
  return (given ? std::filesystem::path(given) : std::filesystem::path(FOVEA_TEST_DATA) / "../../../shared") / "data/images";
}

struct TemporaryFile {
  std::filesystem::path path = std::filesystem::temp_directory_path() / ("fovea_picture_test_" + std::to_string(::getpid()) + ".png");
  ~TemporaryFile() { std::filesystem::remove(path); }
};

Picture gradient(int width, int height) {
  Picture picture(width, height);
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      picture.row(y)[3 * x] = static_cast<std::uint8_t>(x * 7);
      picture.row(y)[3 * x + 1] = static_cast<std::uint8_t>(y * 11);
      picture.row(y)[3 * x + 2] = static_cast<std::uint8_t>(x * y);
    }
  }
  return picture;
}

std::string png_of(const Picture& picture) {
  const TemporaryFile file;
  EXPECT_TRUE(write_png(file.path, picture).ok());
  return *read_file(file.path);
}

/// The chunk IHDR: type at byte 12, 13 bytes of data, checksum at byte 29.
void fix_header_checksum(std::string& png) {
  const auto crc = static_cast<std::uint32_t>(crc32(0, reinterpret_cast<const Bytef*>(png.data()) + 12, 17));
  for (int i = 0; i < 4; ++i) png[static_cast<std::size_t>(29 + i)] = static_cast<char>(crc >> (24 - 8 * i));
}

TEST(PictureFile, PngReadsBackEqual) {
  const Picture picture = gradient(37, 21);
  const auto back = decode_picture(bytes_of(png_of(picture)));
  ASSERT_TRUE(back.ok()) << back.status().to_string();
  EXPECT_EQ(picture, *back);
}

TEST(PictureFile, PpmWithComments) {
  const auto picture = decode_picture(bytes_of("P6\n# made by hand\n2 1\n255\nabcdef"));
  ASSERT_TRUE(picture.ok()) << picture.status().to_string();
  EXPECT_EQ(picture->pixels, (std::vector<std::uint8_t>{'a', 'b', 'c', 'd', 'e', 'f'}));
}

TEST(PictureFile, CutPngIsRefused) {
  const std::string file = png_of(gradient(16, 16));
  for (std::size_t size = 0; size < file.size(); ++size) ASSERT_FALSE(decode_picture(bytes_of(file.substr(0, size))).ok()) << size;
}

TEST(PictureFile, BombsAreRefusedFromTheHeader) {
  std::string png = png_of(gradient(4, 4));
  for (const std::size_t i : {16, 17, 20, 21}) png[i] = '\x7f';
  fix_header_checksum(png);
  const auto status = decode_picture(bytes_of(png)).status();
  EXPECT_EQ(status.code(), ErrorCode::InvalidModel) << status.to_string();
  EXPECT_EQ(decode_picture(bytes_of("P6\n200000 200000\n255\n")).status().code(), ErrorCode::InvalidModel);
  EXPECT_FALSE(decode_picture(bytes_of("P6\n0 5\n255\n")).ok());
  EXPECT_FALSE(decode_picture(bytes_of("P6\n-5 5\n255\n")).ok());
  EXPECT_EQ(decode_picture(bytes_of(png_of(gradient(64, 64))), {.max_pixels = 1000}).status().code(), ErrorCode::InvalidModel);
}

TEST(PictureFile, OtherFormatsAreNamed) {
  EXPECT_EQ(decode_picture(bytes_of("GIF89a....")).status().code(), ErrorCode::Unsupported);
  EXPECT_EQ(decode_picture(bytes_of("")).status().code(), ErrorCode::InvalidModel);
  EXPECT_FALSE(decode_picture(bytes_of("\xff\xd8\xff")).ok());
  EXPECT_FALSE(decode_picture(bytes_of("BM")).ok());
}

TEST(PictureFile, DamagedPng) {
  const std::string file = png_of(gradient(16, 16));
  std::mt19937 random(5);
  for (int i = 0; i < 2000; ++i) {
    std::string bad = file;
    for (int change = 0; change <= i % 3; ++change) bad[random() % bad.size()] = static_cast<char>(random());
    static_cast<void>(decode_picture(bytes_of(bad)));
  }
}

TEST(PictureFile, CutJpegIsRefused) {
  const auto path = shared_images() / "bus.jpg";
  if (!std::filesystem::exists(path)) GTEST_SKIP() << "no " << path;
  const std::string file = *read_file(path);
  const auto whole = decode_picture(bytes_of(file));
  ASSERT_TRUE(whole.ok()) << whole.status().to_string();
  EXPECT_GT(whole->width, 100);
  for (std::size_t size = 0; size < file.size() - 2; size += 97) ASSERT_FALSE(decode_picture(bytes_of(file.substr(0, size))).ok()) << size;
}

}  // namespace
}  // namespace fovea::image
