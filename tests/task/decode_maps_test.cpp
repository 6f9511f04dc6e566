// SPDX-License-Identifier: Apache-2.0
// Several tasks from one run, maps and their units; boxes of networks that count otherwise than in the input's pixels.
#include <gtest/gtest.h>

#include "task/decode.h"

namespace fovea::task {
namespace {

Tensor f32_map(const Shape& shape, const std::vector<float>& values) { return Tensor::from<float>(DataType::f32, shape, values); }

Recipe parsed(const std::string& text) {
  const auto recipe = parse_recipe(text);
  EXPECT_TRUE(recipe.ok()) << recipe.status().to_string();
  return *recipe;
}

image::ImageTransform same_size(int width, int height) { return {1, 1, 0, 0, width, height, width, height}; }

const char* const kMaps = R"({"input": {}, "tasks": [
  {"task": "segmentation", "labels": ["road", "sky"], "decode": {"output": "s"}, "paint": {"palette": [[1, 1, 1], [2, 2, 2]]}},
  {"task": "depth", "decode": {"output": "d", "scale": -80, "offset": 80, "unit": "m"}}]})";

TEST(DecodeMaps, TwoTasksFromOneRun) {
  const NamedTensors outputs = {{"s", f32_map({1, 2, 1, 2}, {1, 0, 0, 3})}, {"d", f32_map({1, 1, 1, 2}, {0.25f, 0.5f})}};
  const auto prediction = decode(parsed(kMaps), outputs, same_size(2, 1));
  ASSERT_TRUE(prediction.ok()) << prediction.status().to_string();
  EXPECT_EQ(prediction->kinds, (std::vector{Prediction::Kind::Segmentation, Prediction::Kind::Depth}));
  EXPECT_EQ(prediction->segmentation.classes, (std::vector<std::int32_t>{0, 1}));
  EXPECT_EQ(prediction->depth.values, (std::vector<float>{60, 40}));
  EXPECT_EQ(to_json(*prediction, "p.png", {"m.png", "d.npy"}),
            R"({"image":"p.png","classes":[{"label":"road","class_id":0,"score":0.5},{"label":"sky","class_id":1,"score":0.5}],"mask_file":"m.png",)"
            R"("depth":{"min":40,"median":60,"max":60,"unit":"m"},"depth_file":"d.npy"})");
  image::Picture picture(2, 1);
  draw(*prediction, picture);
  EXPECT_EQ(picture.width, 4) << "classes on the picture, depth beside it";
}

TEST(DecodeMaps, FirstClassWinsTies) {
  const NamedTensors outputs = {{"s", f32_map({1, 2, 1, 1}, {7, 7})}, {"d", f32_map({1, 1, 1, 1}, {0})}};
  EXPECT_EQ(decode(parsed(kMaps), outputs, same_size(1, 1))->segmentation.classes[0], 0);
}

TEST(DecodeMaps, PaletteMustColourEveryClass) {
  const NamedTensors outputs = {{"s", f32_map({1, 3, 1, 1}, {7, 7, 8})}, {"d", f32_map({1, 1, 1, 1}, {0})}};
  const auto prediction = decode(parsed(kMaps), outputs, same_size(1, 1));
  ASSERT_FALSE(prediction.ok());
  EXPECT_NE(prediction.status().message().find("tasks[0].paint.palette: expected a colour for each of the 3 classes of output 's', found 2"), std::string::npos) << prediction.status().to_string();
}

TEST(DecodeBoxes, PixelCentersShiftByHalfAPixelOfEachSide) {
  // Twice as large on the input: its pixel centres 0 and 1 both lie on pixel 0 of the picture, at -0.25 and 0.25 of its centre.
  const Recipe recipe = parsed(R"({"task": "detection", "input": {}, "clip": "never", "decode": {"kind": "boxes_scores", "boxes": "b", "scores": "s", "coordinates": "pixel_centers"}})");
  const image::ImageTransform twice{2, 2, 0, 0, 4, 4, 8, 8};
  const auto prediction = decode(recipe, {{"b", f32_map({1, 1, 4}, {0, 1, 7, 6})}, {"s", f32_map({1, 1, 1}, {0.9f})}}, twice);
  ASSERT_TRUE(prediction.ok()) << prediction.status().to_string();
  EXPECT_EQ(prediction->detections.at(0).box, (std::array<float, 4>{-0.25f, 0.25f, 3.25f, 2.75f}));
}

TEST(DecodeBoxes, ClippingBeforeSuppressionChangesOverlaps) {
  // Two boxes that are one on the picture, but reach out of it to different sides. A third lies outside.
  const NamedTensors outputs = {{"b", f32_map({1, 3, 4}, {0, -90, 10, 10, 0, 0, 10, 100, 40, 40, 50, 50})}, {"s", f32_map({1, 3, 1}, {0.9f, 0.8f, 0.7f})}};
  const auto found = [&](const std::string& clip) {
    const Recipe recipe = parsed(R"({"task": "detection", "input": {}, "nms": {"iou": 0.5}, "clip": ")" + clip +
                                 R"(", "decode": {"kind": "boxes_scores", "boxes": "b", "scores": "s"}})");
    return decode(recipe, outputs, same_size(10, 10))->detections;
  };
  EXPECT_EQ(found("before_nms").size(), 1u);
  EXPECT_EQ(found("after_nms").size(), 2u);
  ASSERT_EQ(found("never").size(), 3u);
  EXPECT_EQ(found("never")[0].box[1], -90);
}

TEST(DecodeBoxes, InclusiveSuppressionAtTheLimit) {
  const NamedTensors outputs = {{"b", f32_map({1, 2, 4}, {0, 0, 8, 8, 0, 0, 8, 4})}, {"s", f32_map({1, 2, 1}, {0.9f, 0.8f})}};
  const auto found = [&](const std::string& inclusive) {
    const Recipe recipe = parsed(R"({"task": "detection", "input": {}, "decode": {"kind": "boxes_scores", "boxes": "b", "scores": "s"}, "nms": {"iou": 0.5, "inclusive": )" +
                                 inclusive + "}}");
    return decode(recipe, outputs, same_size(10, 10))->detections.size();
  };
  EXPECT_EQ(found("false"), 2u);
  EXPECT_EQ(found("true"), 1u);
}

TEST(MakeInputs, NetworksOfFixedSizeDisagreeWithPicturesOfOtherSizes) {
  const Recipe recipe = parsed(R"({"task": "classification", "input": {"resize": "shorter_side", "shorter_side": 8, "longer_side": 20}, "decode": {"output": "o"}})");
  const TensorInfo open[] = {{"x", DataType::f32, {"1", "3", "H", "W"}, true}}, fixed[] = {{"x", DataType::f32, {"1", "3", "8", "8"}, true}};
  const auto made = make_inputs(recipe, image::Picture(40, 20), open);
  ASSERT_TRUE(made.ok()) << made.status().to_string();
  EXPECT_EQ(made->tensors.at("x").shape(), (Shape{1, 3, 8, 16}));
  const auto refused = make_inputs(recipe, image::Picture(40, 20), fixed);
  ASSERT_FALSE(refused.ok());
  EXPECT_NE(refused.status().message().find("this picture becomes 16x8 pixels by the recipe, the network takes 8x8"), std::string::npos) << refused.status().to_string();
}

}  // namespace
}  // namespace fovea::task
