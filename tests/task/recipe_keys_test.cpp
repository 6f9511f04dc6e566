// SPDX-License-Identifier: Apache-2.0
// Keys that belong to one way of resizing, one task or one another: what each may be, and what is said otherwise.
#include <gtest/gtest.h>

#include <filesystem>

#include "base/file.h"
#include "task/recipe.h"

namespace fovea::task {
namespace {

constexpr const char* kInput = R"("name": "x")";
constexpr const char* kGridDetection = R"({"task": "detection", "input": {"name": "x"}, "decode": {"kind": "yolo_grid", "coordinates": "pixel_centers",
  "levels": [{"output": "o", "stride": 8, "anchors": [[1, 1]]}]}, "clip": "before_nms"})";
constexpr const char* kTwoTasks = R"({"input": {"name": "x"}, "tasks": [
  {"task": "segmentation", "labels": ["a"], "decode": {"output": "s"}, "paint": {"palette": [[1, 2, 3]], "background": -1, "opacity": 1}},
  {"task": "depth", "decode": {"output": "d", "scale": 80, "offset": -1, "unit": "m"}, "paint": {"colors": "jet", "range": [0, 80]}}]})";

std::string replaced(std::string text, const std::string& find, const std::string& by) {
  const std::size_t at = text.find(find);
  EXPECT_NE(at, std::string::npos) << find;
  return at == std::string::npos ? text : text.replace(at, find.size(), by);
}

TEST(RecipeKeys, SeveralTasks) {
  const auto recipe = parse_recipe(kTwoTasks);
  ASSERT_TRUE(recipe.ok()) << recipe.status().to_string();
  ASSERT_EQ(recipe->tasks.size(), 2u);
  EXPECT_EQ(recipe->tasks[0].label_of(0), "a");
  EXPECT_EQ(recipe->tasks[1].label_of(0), "class 0") << "labels belong to their task";
  const auto& depth = std::get<DepthRecipe>(recipe->tasks[1].decode);
  EXPECT_EQ(depth.scale, 80);
  EXPECT_EQ(depth.paint.range, (std::array<double, 2>{0, 80}));
}

struct KeyMistake {
  const char* base;
  const char* find;     ///< text of the good recipe ...
  const char* replace;  ///< ... becomes this
  const char* phrase;   ///< and the message contains this
};

const KeyMistake kKeyMistakes[] = {
    {kGridDetection, kInput, R"("resize": "shorter")", R"(input.resize: expected one of "letterbox", "stretch", "crop", "shorter_side", "pad", found "shorter")"},
    {kGridDetection, kInput, R"("resize": "shorter_side")", "input.shorter_side is missing"},
    {kGridDetection, kInput, R"("resize": "shorter_side", "shorter_side": 800, "longer_side": 700)", "input.longer_side: expected a number not below shorter_side, found 700"},
    {kGridDetection, kInput, R"("resize": "shorter_side", "shorter_side": 800, "size": [4, 4])", R"(input.size: expected no size when resize is "shorter_side")"},
    {kGridDetection, kInput, R"("longer_side": 700)", R"(input.longer_side: expected no longer_side unless resize is "shorter_side", found 700)"},
    {kGridDetection, kInput, R"("resize": "stretch", "inner_size": [4, 4])", R"(input.inner_size: expected no inner_size unless resize is "letterbox")"},
    {kGridDetection, kInput, R"("size": [64, 64], "inner_size": [64, 65])", "input.inner_size: expected a size that fits into size, found [64,65]"},
    {kGridDetection, kInput, R"("inner_size": 640)", "input.inner_size: expected a list of 2 numbers, found 640"},
    {kGridDetection, kInput, R"("subpixel": "yes")", R"(input.subpixel: expected true or false, found "yes")"},
    {kGridDetection, kInput, R"("subpixel": true, "antialias": true)", R"(input.subpixel: expected false unless resize is "letterbox" and filter "bilinear" without antialias)"},
    {kGridDetection, "pixel_centers", "normalised", R"(decode.coordinates: expected one of "pixels", "pixel_centers", found "normalised")"},
    {kGridDetection, "before_nms", "before", R"(clip: expected one of "after_nms", "before_nms", "never", found "before")"},
    {kGridDetection, R"("clip")", R"("nms": {"inclusive": 1}, "clip")", "nms.inclusive: expected true or false, found 1"},
    {kTwoTasks, R"("scale": 80)", R"("scale": "80")", "tasks[1].decode.scale: expected a number from"},
    {kTwoTasks, R"("scale": 80)", R"("scale": 0)", "tasks[1].decode.scale: expected a number other than 0, found 0"},
    {kTwoTasks, R"("scale": 80)", R"("scale": 80, "scale": 8)", "tasks[1].decode.scale: expected one value, found the key twice"},
    {kTwoTasks, R"("offset": -1)", R"("shift": -1)", "tasks[1].decode.shift: unknown key"},
    {kTwoTasks, R"([[1, 2, 3]])", R"("rainbow")", R"(tasks[0].paint.palette: expected one of "distinct", "cityscapes", "pascal_voc", or a list of 1 to 1024 colours [r, g, b], found "rainbow")"},
    {kTwoTasks, R"([[1, 2, 3]])", R"([[1, 2, 300]])", "tasks[0].paint.palette: expected colours of three whole numbers from 0 to 255, found [1,2,300]"},
    {kTwoTasks, R"([[1, 2, 3]])", R"([])", "tasks[0].paint.palette: expected one of"},
    {kTwoTasks, R"("background": -1)", R"("background": -2)", "tasks[0].paint.background: expected a whole number from -1 to"},
    {kTwoTasks, R"("opacity": 1)", R"("opacity": 2)", "tasks[0].paint.opacity: expected a number from 0 to 1, found 2"},
    {kTwoTasks, R"("colors": "jet")", R"("colors": "hot")", R"(tasks[1].paint.colors: expected one of "inferno", "jet", found "hot")"},
    {kTwoTasks, R"([0, 80])", R"("far")", "tasks[1].paint.range: expected a list of 2 numbers, found \"far\""},
    {kTwoTasks, R"([0, 80])", R"([80, 0])", "tasks[1].paint.range: expected [low, high], low below high, found [80,0]"},
    {kTwoTasks, R"("task": "depth", "decode": {"output": "d", "scale": 80, "offset": -1, "unit": "m"}, "paint": {"colors": "jet", "range": [0, 80]})",
     R"("task": "classification", "decode": {"output": "d"})", "tasks[1].task: expected each task once, and not both classification and segmentation"},
    {kTwoTasks, R"("tasks")", R"("task": "depth", "tasks")", "task: unknown key"},
    {kTwoTasks, R"("tasks": [)", R"("tasks": [3, )", "tasks[0]: expected an object, found 3"},
};

class RecipeKeysMistake : public testing::TestWithParam<KeyMistake> {};

TEST_P(RecipeKeysMistake, IsNamedWithItsPath) {
  const auto recipe = parse_recipe(replaced(GetParam().base, GetParam().find, GetParam().replace));
  ASSERT_FALSE(recipe.ok());
  EXPECT_EQ(recipe.status().code(), ErrorCode::InvalidModel);
  EXPECT_NE(recipe.status().message().find(GetParam().phrase), std::string::npos) << recipe.status().to_string();
  EXPECT_EQ(recipe.status().message().find('\n'), std::string::npos) << "one line";
}

INSTANTIATE_TEST_SUITE_P(All, RecipeKeysMistake, testing::ValuesIn(kKeyMistakes));

TEST(RecipeKeys, RecipesOfTheLightFilesAreValid) {
  const std::filesystem::path folder = std::filesystem::path(FOVEA_TEST_DATA) / "../../models/light";
  int count = 0;
  for (const auto& file : std::filesystem::directory_iterator(folder)) {
    if (!file.path().string().ends_with(".recipe.json")) continue;
    const auto recipe = parse_recipe(*read_file(file.path()));
    EXPECT_TRUE(recipe.ok()) << file.path() << ": " << recipe.status().to_string();
    ++count;
  }
  EXPECT_EQ(count, 5);
}

}  // namespace
}  // namespace fovea::task
