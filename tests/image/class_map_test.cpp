// SPDX-License-Identifier: Apache-2.0
// Maps of classes come back from their files as they were, whatever the depth.
#include "image/class_map.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "base/file.h"
#include "image/picture_file.h"

namespace fovea::image {
namespace {

Result<ClassMap> through_file(const std::string& bytes) {
  const std::filesystem::path file = std::filesystem::path(testing::TempDir()) / "class_map_test.png";
  if (const Status status = write_file_atomically(file, bytes); !status.ok()) return status;
  auto map = read_class_map(file);
  std::filesystem::remove(file);
  return map;
}

TEST(ClassMap, DepthFollowsTheNumberOfClasses) {
  struct Row { std::vector<std::int32_t> classes; std::int64_t count; int depth; std::vector<std::int32_t> back; };
  for (const Row& row : {Row{{0, 1, 18, 255}, 19, 8, {0, 1, 18, 255}}, Row{{0, 1, 18, 3}, 257, 16, {0, 1, 18, 3}}, Row{{0, 256, 65535, 3}, 0, 16, {0, 256, 65535, 3}},
                         Row{{0, -1, 5, 7}, 0, 8, {0, 255, 5, 7}}}) {
    const auto bytes = encode_class_map({2, 2, row.classes}, row.count);
    ASSERT_TRUE(bytes.ok()) << bytes.status().to_string();
    EXPECT_EQ((*bytes)[24], row.depth);
    EXPECT_EQ((*bytes)[25], 0) << "grey";
    const auto map = through_file(*bytes);
    ASSERT_TRUE(map.ok()) << map.status().to_string();
    EXPECT_EQ(map->classes, row.back);
  }
  EXPECT_FALSE(encode_class_map({1, 1, {65536}}, 0).ok());
}

TEST(ClassMap, PicturesOfThreePlanes) {
  Picture grey(3, 1, {7, 7, 7}), coloured(3, 1, {7, 7, 7});
  coloured.pixels[5] = 8;
  EXPECT_EQ(through_file(*encode_png(grey))->classes, (std::vector<std::int32_t>{7, 7, 7}));
  EXPECT_NE(through_file(*encode_png(coloured)).status().message().find("found colours at x 1, y 0"), std::string::npos);
}

TEST(ClassMap, LevelsOfOneBit) {
  // 2 x 1 pixels, levels 1 and 0; written by hand, for encoders widen them.
  const unsigned char file[] = {0x89, 'P', 'N', 'G', 13, 10, 26, 10, 0, 0, 0, 13, 'I', 'H', 'D', 'R', 0, 0, 0, 2, 0, 0, 0, 1, 1, 0, 0, 0, 0,
                                0xdc, 0x59, 0x42, 0x27, 0, 0, 0, 10, 'I', 'D', 'A', 'T', 0x78, 0x9c, 0x63, 0x68, 0x00, 0x00, 0x00, 0x82, 0x00, 0x81,
                                0x77, 0xcd, 0x72, 0xb6, 0, 0, 0, 0, 'I', 'E', 'N', 'D', 0xae, 0x42, 0x60, 0x82};
  const auto map = through_file(std::string(reinterpret_cast<const char*>(file), sizeof file));
  ASSERT_TRUE(map.ok()) << map.status().to_string();
  EXPECT_EQ(map->classes, (std::vector<std::int32_t>{1, 0}));
}

}  // namespace
}  // namespace fovea::image
