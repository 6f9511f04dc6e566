// SPDX-License-Identifier: Apache-2.0
// Each kind of head on numbers small enough to check by hand.
#include "task/decode.h"

#include <gtest/gtest.h>

#include <cmath>

#include "task/nms.h"

namespace fovea::task {
namespace {

Tensor f32(const Shape& shape, const std::vector<float>& values) { return Tensor::from<float>(DataType::f32, shape, values); }

double logit(double p) { return std::log(p / (1 - p)); }

/// Network input 64x64; the picture is twice as large.
image::ImageTransform half() { return {0.5, 0.5, 0, 0, 128, 128, 64, 64}; }

Recipe recipe_with(const std::string& decode, const std::string& labels = R"(["a","b"])") {
  const auto recipe = parse_recipe(R"({"task":"detection","input":{},"score_threshold":0.3,"labels":)" + labels + R"(,"decode":)" + decode + "}");
  EXPECT_TRUE(recipe.ok()) << recipe.status().to_string();
  return *recipe;
}

void expect_box(const Detection& d, float x1, float y1, float x2, float y2) {
  const float expected[] = {x1, y1, x2, y2};
  for (std::size_t i = 0; i < 4; ++i) EXPECT_NEAR(d.box[i], expected[i], 1e-3) << i;
}

TEST(Decode, BoxesScoresWithBackground) {
  const Recipe recipe = recipe_with(R"({"kind":"boxes_scores","boxes":"b","scores":"s","coordinates":"normalised","background":0})");
  const NamedTensors outputs = {{"b", f32({1, 2, 4}, {0.25f, 0.25f, 0.5f, 0.5f, 0, 0, 1, 1})}, {"s", f32({1, 2, 3}, {0.1f, 0.2f, 0.7f, 0.9f, 0.05f, 0.05f})}};
  const auto prediction = decode(recipe, outputs, half());
  ASSERT_TRUE(prediction.ok()) << prediction.status().to_string();
  ASSERT_EQ(prediction->detections.size(), 1u);
  EXPECT_EQ(prediction->detections[0].label, "b") << "classes after the background move down";
  expect_box(prediction->detections[0], 32, 32, 64, 64);
}

TEST(Decode, BoxesScoresOverLevels) {
  const Recipe recipe = recipe_with(R"({"kind":"boxes_scores","boxes":["b0","b1"],"scores":["s0","s1"],"objectness":["o0","o1"]})");
  const NamedTensors outputs = {{"b0", f32({1, 1, 4}, {0, 0, 8, 8})}, {"s0", f32({1, 1, 2}, {0.9f, 0.1f})}, {"o0", f32({1, 1}, {0.5f})},
                                {"b1", f32({1, 1, 4}, {16, 16, 32, 32})}, {"s1", f32({1, 1, 2}, {0.1f, 1})}, {"o1", f32({1, 1}, {0.6f})}};
  const auto prediction = decode(recipe, outputs, half());
  ASSERT_TRUE(prediction.ok()) << prediction.status().to_string();
  ASSERT_EQ(prediction->detections.size(), 2u);
  EXPECT_NEAR(prediction->detections[0].score, 0.6, 1e-6);
  EXPECT_NEAR(prediction->detections[1].score, 0.45, 1e-6);
}

TEST(Decode, RowsTransposed) {
  // YOLOv8: 1 x (4 + classes) x N.
  const Recipe recipe = recipe_with(R"({"kind":"rows","output":"o","transposed":true,"columns":["cx","cy","w","h","classes"]})");
  const auto prediction = decode(recipe, {{"o", f32({1, 6, 2}, {10, 30, 10, 30, 4, 8, 4, 8, 0.8f, 0, 0.1f, 0.2f})}}, half());
  ASSERT_TRUE(prediction.ok()) << prediction.status().to_string();
  ASSERT_EQ(prediction->detections.size(), 1u);
  EXPECT_EQ(prediction->detections[0].class_id, 0);
  expect_box(prediction->detections[0], 16, 16, 24, 24);
}

TEST(Decode, RowsThatAreFinal) {
  const Recipe recipe = recipe_with(R"({"kind":"rows","output":"o","columns":["x1","y1","x2","y2","score","class"]})");
  const auto prediction = decode(recipe, {{"o", f32({1, 2, 6}, {1, 2, 3, 4, 0.9f, 1, 0, 0, 9, 9, 0.1f, 0})}}, half());
  ASSERT_TRUE(prediction.ok()) << prediction.status().to_string();
  ASSERT_EQ(prediction->detections.size(), 1u);
  EXPECT_EQ(prediction->detections[0].label, "b");
}

TEST(Decode, YoloGridBothLayoutsAgree) {
  const std::string head = R"({"kind":"yolo_grid","levels":[{"output":"o","stride":32,"anchors":[[10,20]]}]})";
  // One anchor, 2x2 cells, 2 classes; only cell (row 1, column 0) holds an object.
  std::vector<float> nchw(7 * 4, -9);
  const float values[] = {0, 0, 0, static_cast<float>(logit(0.75)), 9, static_cast<float>(logit(0.8)), -9};
  for (std::size_t i = 0; i < 7; ++i) nchw[i * 4 + 2] = values[i];
  std::vector<float> last(7 * 4, -9);
  for (std::size_t i = 0; i < 7; ++i) last[2 * 7 + i] = values[i];
  for (const auto& [shape, data] : {std::pair(Shape{1, 7, 2, 2}, nchw), std::pair(Shape{1, 1, 2, 2, 7}, last)}) {
    const auto prediction = decode(recipe_with(head), {{"o", f32(shape, data)}}, half());
    ASSERT_TRUE(prediction.ok()) << prediction.status().to_string();
    ASSERT_EQ(prediction->detections.size(), 1u);
    EXPECT_NEAR(prediction->detections[0].score, 0.8, 1e-3);
    // Centre (0.5, 1.5) cells = (16, 48); size (1 * 10, 1.5^2 * 20 = 45).
    expect_box(prediction->detections[0], 2 * 11, 2 * 25.5f, 2 * 21, 128);
  }
}

TEST(Decode, SsdPriors) {
  const Recipe recipe = recipe_with(
      R"({"kind":"ssd_priors","boxes":"b","scores":"s","activation":"softmax","background":0,"levels":[{"stride":32,"sizes":[[16,8]]}]})", R"(["a"])");
  std::vector<float> boxes(16, 0), scores;
  for (int i = 0; i < 4; ++i) scores.insert(scores.end(), {i == 3 ? 0.0f : 9.0f, i == 3 ? 9.0f : 0.0f});
  boxes[12] = 5;                                        // 5 * 0.1 * 16 = 8 pixels to the right
  boxes[14] = static_cast<float>(std::log(2.0) / 0.2);  // twice as wide
  const auto prediction = decode(recipe, {{"b", f32({1, 4, 4}, boxes)}, {"s", f32({1, 4, 2}, scores)}}, half());
  ASSERT_TRUE(prediction.ok()) << prediction.status().to_string();
  ASSERT_EQ(prediction->detections.size(), 1u);
  EXPECT_EQ(prediction->detections[0].class_id, 0);
  expect_box(prediction->detections[0], 2 * 40, 2 * 44, 128, 2 * 52);
  EXPECT_FALSE(decode(recipe, {{"b", f32({1, 3, 4}, std::vector<float>(12))}, {"s", f32({1, 3, 2}, std::vector<float>(6))}}, half()).ok());
}

TEST(Decode, AnchorFreeLtrbAndDfl) {
  const std::string tail = R"(,"activation":"sigmoid","levels":[{"stride":64,"boxes":"b","scores":"s"}]})";
  const NamedTensors ltrb = {{"b", f32({1, 1, 4}, {0.25f, 0.25f, 0.125f, 0.5f})}, {"s", f32({1, 1, 2}, {-9, 2})}};
  const auto first = decode(recipe_with(R"({"kind":"anchor_free_grid","box_decoding":"ltrb")" + tail), ltrb, half());
  ASSERT_TRUE(first.ok()) << first.status().to_string();
  ASSERT_EQ(first->detections.size(), 1u);
  expect_box(first->detections[0], 32, 32, 80, 128);
  // Three bins: left 1, top 1 (an even split of 0 and 2), right 2, bottom 0.5 (an even split of 0 and 1).
  const NamedTensors dfl = {{"b", f32({1, 1, 12}, {0, 99, 0, 99, 0, 99, 0, 0, 99, 99, 99, 0})}, {"s", f32({1, 1, 2}, {-9, 2})}};
  const auto second = decode(recipe_with(R"({"kind":"anchor_free_grid","box_decoding":"dfl","units":"pixels")" + tail), dfl, half());
  ASSERT_TRUE(second.ok()) << second.status().to_string();
  ASSERT_EQ(second->detections.size(), 1u);
  expect_box(second->detections[0], 62, 62, 68, 65);
}

TEST(Decode, CenterExpWithKeypoints) {
  const Recipe recipe = recipe_with(
      R"({"kind":"anchor_free_grid","box_decoding":"center_exp","objectness_exponent":0.5,"class_exponent":0.5,
          "levels":[{"stride":32,"boxes":"b","scores":"s","objectness":"o","keypoints":"k"}]})", R"(["a"])");
  std::vector<float> boxes(16), points(8);
  boxes[12] = boxes[13] = 0.5f;
  points[6] = 0.25f;
  const NamedTensors outputs = {{"b", f32({1, 4, 4}, boxes)}, {"s", f32({1, 4, 1}, {0, 0, 0, 0.81f})}, {"o", f32({1, 4, 1}, {1, 1, 1, 0.25f})}, {"k", f32({1, 4, 2}, points)}};
  const auto prediction = decode(recipe, outputs, half());
  ASSERT_TRUE(prediction.ok()) << prediction.status().to_string();
  ASSERT_EQ(prediction->detections.size(), 1u);
  EXPECT_NEAR(prediction->detections[0].score, 0.45, 1e-6);
  expect_box(prediction->detections[0], 64, 64, 128, 128);
  EXPECT_NEAR(prediction->detections[0].keypoints[0].first, 80, 1e-3);
}

TEST(Decode, DetrSoftmaxSkipsNoObject) {
  const Recipe recipe = recipe_with(R"({"kind":"detr","boxes":"b","scores":"s"})");
  const NamedTensors outputs = {{"b", f32({1, 2, 4}, {0.5f, 0.5f, 0.5f, 0.5f, 0.1f, 0.1f, 0.1f, 0.1f})}, {"s", f32({1, 2, 3}, {0, 5, 0, 0, 0, 9})}};
  const auto prediction = decode(recipe, outputs, half());
  ASSERT_TRUE(prediction.ok()) << prediction.status().to_string();
  ASSERT_EQ(prediction->detections.size(), 1u);
  EXPECT_EQ(prediction->detections[0].class_id, 1);
  expect_box(prediction->detections[0], 32, 32, 96, 96);
}

TEST(Decode, FinalBoxesInPicturePixels) {
  const Recipe recipe = recipe_with(R"({"kind":"final","boxes":"b","labels":"l","scores":"s","coordinates":"picture","first_label":1})");
  const NamedTensors outputs = {{"b", f32({1, 1, 4}, {10, 10, 100, 500})}, {"l", Tensor::from<std::int64_t>(DataType::i64, {1, 1}, std::vector<std::int64_t>{2})},
                                {"s", f32({1, 1}, {0.5f})}};
  const auto prediction = decode(recipe, outputs, half());
  ASSERT_TRUE(prediction.ok()) << prediction.status().to_string();
  ASSERT_EQ(prediction->detections.size(), 1u);
  EXPECT_EQ(prediction->detections[0].label, "b");
  expect_box(prediction->detections[0], 10, 10, 100, 128);
}

TEST(Decode, NmsPerClassAndAcross) {
  const std::vector<Candidate> candidates = {{{0, 0, 10, 10}, 0.5, 0, {}}, {{0, 0, 10, 9}, 0.9, 0, {}}, {{0, 0, 10, 10}, 0.8, 1, {}}, {{20, 20, 30, 30}, 0.4, 0, {}}};
  EXPECT_EQ(select_best(candidates, Nms{0.5, true}, 10).size(), 3u);
  EXPECT_EQ(select_best(candidates, Nms{0.5, false}, 10).size(), 2u);
  EXPECT_EQ(select_best(candidates, std::nullopt, 10).size(), 4u);
  EXPECT_EQ(select_best(candidates, std::nullopt, 1)[0].score, 0.9);
}

TEST(Decode, Classification) {
  const auto recipe = parse_recipe(R"({"task":"classification","labels":["x","y","z"],"input":{},"decode":{"output":"o","activation":"softmax","top_k":2,"skip":1}})");
  ASSERT_TRUE(recipe.ok()) << recipe.status().to_string();
  const auto prediction = decode(*recipe, {{"o", f32({1, 4, 1, 1}, {0, 1, 3, 2})}}, half());
  ASSERT_TRUE(prediction.ok()) << prediction.status().to_string();
  ASSERT_EQ(prediction->classes.size(), 2u);
  EXPECT_EQ(prediction->classes[0].label, "y");
  EXPECT_NEAR(prediction->classes[0].score, std::exp(3) / (1 + std::exp(1) + std::exp(3) + std::exp(2)), 1e-6);
  EXPECT_EQ(to_json(*prediction, "p.png"), R"({"image":"p.png","classes":[{"label":"y","class_id":1,"score":0.643914},{"label":"z","class_id":2,"score":0.236883}]})");
}

TEST(Decode, SegmentationFollowsThePicture) {
  const auto recipe = parse_recipe(R"({"task":"segmentation","labels":["nothing","thing"],"input":{},"decode":{"output":"o"}})");
  ASSERT_TRUE(recipe.ok());
  // Left half class 0, right half class 1, at half the input's size.
  Tensor scores = Tensor::allocate(DataType::f32, {1, 2, 32, 32}).value();
  for (int y = 0; y < 32; ++y) {
    for (int x = 16; x < 32; ++x) scores.data<float>()[32 * 32 + y * 32 + x] = 1;
  }
  const auto prediction = decode(*recipe, {{"o", scores}}, half());
  ASSERT_TRUE(prediction.ok()) << prediction.status().to_string();
  const SegmentationMap& map = prediction->segmentation;
  EXPECT_EQ(map.width, 128);
  EXPECT_EQ(map.classes[0], 0);
  EXPECT_EQ(map.classes[127], 1);
  EXPECT_NEAR(map.shares[0].score, 0.5, 0.02);
}

TEST(Decode, Depth) {
  const auto recipe = parse_recipe(R"({"task":"depth","input":{},"decode":{"output":"o","unit":"m"}})");
  ASSERT_TRUE(recipe.ok());
  const auto prediction = decode(*recipe, {{"o", f32({1, 1, 2, 2}, {1, 1, 3, 3})}}, half());
  ASSERT_TRUE(prediction.ok()) << prediction.status().to_string();
  EXPECT_EQ(prediction->depth.values.size(), 128u * 128u);
  EXPECT_EQ(prediction->depth.max, 3);
  EXPECT_NEAR(prediction->depth.median, 2, 0.05);
}

TEST(Decode, MissingAndMisshapenOutputsAreNamed) {
  const Recipe recipe = recipe_with(R"({"kind":"boxes_scores","boxes":"b","scores":"s"})");
  const auto missing = decode(recipe, {{"b", f32({1, 1, 4}, {0, 0, 1, 1})}}, half());
  EXPECT_EQ(missing.status().message(), "recipe: decode.scores: expected an output of the network, 'b', found 's'");
  for (const Shape& shape : {Shape{}, Shape{1, 2, 4}, Shape{2, 1, 4}, Shape{1, 1, 3}, Shape{1, 0, 4}, Shape{1, 1, 1, 1, 1, 4}}) {
    const Tensor boxes = Tensor::allocate(DataType::f32, shape).value();
    const auto result = decode(recipe, {{"b", boxes}, {"s", f32({1, 1, 2}, {1, 1})}}, half());
    EXPECT_FALSE(result.ok()) << shape.to_string();
  }
}

TEST(Decode, NotANumberGivesNothing) {
  const Recipe recipe = recipe_with(R"({"kind":"boxes_scores","boxes":"b","scores":"s","objectness":"o"})", "[]");
  const float nan = NAN;
  const auto prediction = decode(recipe, {{"b", f32({1, 3, 4}, {0, 0, nan, 1, 0, 0, 1, 1, 0, 0, 1, 1})}, {"s", f32({1, 3, 1}, {1, nan, 1})}, {"o", f32({1, 3}, {1, 1, nan})}}, half());
  ASSERT_TRUE(prediction.ok()) << prediction.status().to_string();
  EXPECT_TRUE(prediction->detections.empty());
}

TEST(MakeInputs, TakesSizeAndTypeFromTheNetwork) {
  const auto recipe = parse_recipe(R"({"task":"detection","input":{},"size_inputs":{"size":"picture_size"},"decode":{"kind":"final","boxes":"b","labels":"l","scores":"s"}})");
  ASSERT_TRUE(recipe.ok()) << recipe.status().to_string();
  const TensorInfo network[] = {{"images", DataType::f16, {"N", "3", "32", "48"}}, {"size", DataType::i64, {"N", "2"}}};
  const auto inputs = make_inputs(*recipe, image::Picture(100, 50), network);
  ASSERT_TRUE(inputs.ok()) << inputs.status().to_string();
  EXPECT_EQ(inputs->tensors.at("images").shape(), (Shape{1, 3, 32, 48}));
  EXPECT_EQ(inputs->tensors.at("images").type(), DataType::f16);
  EXPECT_EQ(inputs->tensors.at("size").data<std::int64_t>()[0], 100);
  EXPECT_EQ(inputs->tensors.at("size").data<std::int64_t>()[1], 50);
}

TEST(MakeInputs, MisfitsAreNamed) {
  const auto with = [](const std::string& input) {
    return *parse_recipe(R"({"task":"depth","input":)" + input + R"(,"decode":{"output":"o"}})");
  };
  const TensorInfo fixed[] = {{"x", DataType::f32, {"1", "3", "32", "32"}}}, open[] = {{"x", DataType::f32, {"1", "3", "H", "W"}}};
  const TensorInfo two[] = {{"x", DataType::f32, {"1", "3", "32", "32"}}, {"y", DataType::f32, {"1"}}};
  const image::Picture picture(10, 10);
  EXPECT_FALSE(make_inputs(with(R"({"size":[64,64]})"), picture, fixed).ok());
  EXPECT_FALSE(make_inputs(with(R"({"layout":"nhwc"})"), picture, fixed).ok());
  EXPECT_FALSE(make_inputs(with(R"({"color":"gray"})"), picture, fixed).ok());
  EXPECT_FALSE(make_inputs(with("{}"), picture, open).ok());
  EXPECT_FALSE(make_inputs(with("{}"), picture, two).ok());
  EXPECT_FALSE(make_inputs(with(R"({"name":"z"})"), picture, fixed).ok());
  EXPECT_FALSE(make_inputs(with("{}"), picture, {}).ok());
  EXPECT_TRUE(make_inputs(with(R"({"resize":"pad","multiple_of":8})"), picture, open).ok());
}

TEST(Prediction, JsonAndTable) {
  Prediction prediction;
  prediction.kinds = {Prediction::Kind::Detections};
  prediction.detections = {{1, "white \"cell\"", 0.93f, {1.5f, 2, 300.25f, 4}, {}}};
  EXPECT_EQ(to_json(prediction, "a.jpg"), R"({"image":"a.jpg","detections":[{"label":"white \"cell\"","class_id":1,"score":0.93,"box":[1.5,2,300.25,4]}]})");
  EXPECT_EQ(to_table(prediction), "label          score       x1       y1       x2       y2\nwhite \"cell\"   0.930      1.5      2.0    300.2      4.0\n");
}

}  // namespace
}  // namespace fovea::task
