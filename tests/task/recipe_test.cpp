// SPDX-License-Identifier: Apache-2.0
// Recipes: good ones are read, bad ones are refused with the path of the mistake.
#include "task/recipe.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "base/file.h"

namespace fovea::task {
namespace {

constexpr const char* kDetection = R"({
  "task": "detection", "labels": ["RBC", "WBC", "Platelets"],
  "input": {"name": "images", "size": [320, 416], "resize": "letterbox", "fill": 114, "color": "bgr",
            "scale": 0.00392156862745098, "mean": [0, 0, 0], "std": [1, 1, 1], "layout": "nchw"},
  "decode": {"kind": "boxes_scores", "boxes": "boxes", "scores": "scores", "box_format": "xyxy", "coordinates": "pixels"},
  "score_threshold": 0.3, "nms": {"iou": 0.6, "class_aware": true}, "max_detections": 100})";

TEST(Recipe, DetectionIsRead) {
  const auto recipe = parse_recipe(kDetection);
  ASSERT_TRUE(recipe.ok()) << recipe.status().to_string();
  EXPECT_EQ(recipe->tasks.at(0).labels.size(), 3u);
  EXPECT_EQ(recipe->spec.height, 320);
  EXPECT_EQ(recipe->spec.width, 416);
  EXPECT_EQ(recipe->spec.channels, image::Channels::Bgr);
  const auto& detection = std::get<DetectionRecipe>(recipe->tasks[0].decode);
  EXPECT_EQ(detection.max_detections, 100);
  EXPECT_EQ(detection.nms->iou, 0.6);
  EXPECT_EQ(std::get<BoxesScores>(detection.decode).boxes, std::vector<std::string>{"boxes"});
  EXPECT_EQ(recipe->tasks[0].label_of(1), "WBC");
  EXPECT_EQ(recipe->tasks[0].label_of(7), "class 7");
}

struct Mistake {
  const char* find;     ///< text of the good recipe ...
  const char* replace;  ///< ... becomes this
  const char* phrase;   ///< and the message contains this
};

const Mistake kMistakes[] = {
    {"\"task\": \"detection\"", "\"task\": \"detecting\"", "task: expected one of \"detection\""},
    {"\"task\": \"detection\",", "", "task is missing"},
    {"\"fill\": 114", "\"fill\": 256", "input.fill: expected a whole number from 0 to 255, found 256"},
    {"\"fill\": 114", "\"fill\": [1, 2]", "input.fill: expected a list of 3 numbers, found [1,2]"},
    {"\"size\": [320, 416]", "\"size\": 416", "input.size: expected a list of 2 numbers"},
    {"\"size\": [320, 416]", "\"size\": [320, -1]", "input.size: expected a whole number from 1 to 16384, found -1"},
    {"\"size\": [320, 416]", "\"size\": [320.5, 416]", "input.size: expected a whole number from 1 to 16384, found 320.5"},
    {"\"fill\": 114", "\"fill\": [1, 2.5, 3]", "input.fill: expected a whole number from 0 to 255, found 2.5"},
    {"\"fill\": 114", "\"fill\": 114, \"fill\": 0", "recipe: input.fill: expected one value, found the key twice"},
    {"\"fill\": 114", "\"fill\": NaN", "recipe: not valid JSON: line 3, column 82: syntax error"},
    {"\"fill\": 114", "\"fill\": 1e999", "recipe: not valid JSON: number overflow"},
    {"\"resize\": \"letterbox\"", "\"resize\": \"stretch\", \"anchor\": \"center\"", "input.anchor: expected no anchor unless resize is \"letterbox\""},
    {"\"resize\": \"letterbox\"", "\"resize\": \"stretch\", \"shorter_side\": 8", "input.shorter_side: expected no shorter_side unless"},
    {"\"resize\": \"letterbox\"", "\"multiple_of\": 8", "input.multiple_of: expected no multiple_of unless resize is \"pad\""},
    {"\"size\": [320, 416]", "\"siz\": [320, 416]", "input.siz: unknown key"},
    {"\"color\": \"bgr\"", "\"color\": 3", "input.color: expected one of"},
    {"\"labels\": [\"RBC\",", "\"labels\": [5,", "labels: expected a list of texts, found 5"},
    {"\"kind\": \"boxes_scores\"", "\"kind\": \"magic\"", "decode.kind: expected one of"},
    {"\"boxes\": \"boxes\"", "\"boxes\": [\"a\", \"b\"]", "decode.scores: expected as many outputs as boxes, 2"},
    {"\"boxes\": \"boxes\",", "", "decode.boxes is missing"},
    {"\"iou\": 0.6", "\"iou\": 1.6", "nms.iou: expected a number from 0 to 1, found 1.6"},
    {"\"iou\": 0.6", "\"iou\": \"high\"", "nms.iou: expected a number from 0 to 1, found \"high\""},
    {"\"class_aware\": true", "\"class_aware\": 1", "nms.class_aware: expected true or false, found 1"},
    {"\"max_detections\": 100", "\"max_detections\": 1.5", "max_detections: expected a whole number"},
    {"\"score_threshold\": 0.3", "\"threshold\": 0.3", "threshold: unknown key"},
    {"\"std\": [1, 1, 1]", "\"std\": [1, 0, 1]", "input.std: expected a number from"},
    {"\"resize\": \"letterbox\"", "\"resize\": \"pad\"", "input.size: expected no size"},
    {"{", "", "not valid JSON"},
};

class RecipeMistake : public testing::TestWithParam<Mistake> {};

TEST_P(RecipeMistake, IsNamedWithItsPath) {
  std::string text = kDetection;
  const std::size_t at = text.find(GetParam().find);
  ASSERT_NE(at, std::string::npos);
  text.replace(at, std::string(GetParam().find).size(), GetParam().replace);
  const auto recipe = parse_recipe(text);
  ASSERT_FALSE(recipe.ok());
  EXPECT_EQ(recipe.status().code(), ErrorCode::InvalidModel);
  EXPECT_NE(recipe.status().message().find(GetParam().phrase), std::string::npos) << recipe.status().to_string();
}

INSTANTIATE_TEST_SUITE_P(All, RecipeMistake, testing::ValuesIn(kMistakes));

TEST(Recipe, HostileTexts) {
  for (const std::string& text : {std::string(), std::string("null"), std::string("[]"), std::string(1000000, '['), std::string(2000000, ' '),
                                  std::string("{\"task\":") + std::string(400000, '[') + std::string(400000, ']') + "}",
                                  std::string("{\"task\":\"\xff\xfe\"}"), std::string("{\"task\":\"detection\",\"input\":[],\"decode\":3}")}) {
    EXPECT_FALSE(parse_recipe(text).ok()) << text.substr(0, 40);
  }
}

TEST(Recipe, ExamplesAreValid) {
  const std::filesystem::path folder = std::filesystem::path(FOVEA_TEST_DATA) / "../../examples/recipes";
  int count = 0;
  for (const auto& file : std::filesystem::directory_iterator(folder)) {
    const auto recipe = parse_recipe(*read_file(file.path()));
    EXPECT_TRUE(recipe.ok()) << file.path() << ": " << recipe.status().to_string();
    ++count;
  }
  EXPECT_GT(count, 5);
}

TEST(Recipe, ExamplesOfTheDocumentationAreValid) {
  const std::string page = *read_file(std::filesystem::path(FOVEA_TEST_DATA) / "../../docs/recipes.md");
  const std::string open = "```json\n", close = "```";
  int count = 0;
  for (std::size_t at = page.find(open); at != std::string::npos; at = page.find(open, at)) {
    at += open.size();
    const std::string text = page.substr(at, page.find(close, at) - at);
    const auto recipe = parse_recipe(text);
    EXPECT_TRUE(recipe.ok()) << recipe.status().to_string() << "\n" << text;
    ++count;
  }
  EXPECT_GE(count, 11);
}

}  // namespace
}  // namespace fovea::task
