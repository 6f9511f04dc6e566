// SPDX-License-Identifier: Apache-2.0
// Recipes that contradict a network: each is refused with the key, what was expected and what was found, from shapes alone.
#include "task/recipe_fit.h"

#include <gtest/gtest.h>

namespace fovea::task {
namespace {

OutputShapes shapes(const std::vector<std::pair<std::string, std::vector<std::string>>>& outputs) {
  OutputShapes result;
  for (const auto& [name, shape] : outputs) result[name] = shape_of(TensorInfo{name, DataType::f32, shape, true});
  return result;
}

Recipe recipe_of(const std::string& text) {
  const auto recipe = parse_recipe(text);
  EXPECT_TRUE(recipe.ok()) << recipe.status().to_string();
  return *recipe;
}

/// Outputs that a detector, a YOLO head, a classifier and maps of a network of 64x64 might have.
OutputShapes outputs() {
  return shapes({{"boxes", {"N", "84", "4"}}, {"scores", {"N", "84", "3"}}, {"points", {"N", "84", "5"}}, {"s8", {"N", "24", "8", "8"}}, {"s16", {"N", "24", "4", "4"}},
                 {"rows", {"1", "84", "8"}}, {"columns", {"1", "8", "84"}}, {"cells", {"1", "64", "4"}}, {"bins", {"1", "64", "10"}}, {"cell_scores", {"1", "64", "3"}},
                 {"logits", {"N", "10"}}, {"planes", {"N", "4", "16", "16"}}, {"plane", {"1", "1", "16", "16"}}, {"two", {"2", "4", "16", "16"}}, {"open", {"N", "K", "M"}}});
}

struct Case {
  std::string task;    ///< the recipe's keys but input
  std::string phrase;  ///< of the message; empty: it fits
};

const std::string kBoxes = R"("task":"detection","decode":{"kind":"boxes_scores",)", kYolo = R"("task":"detection","decode":{"kind":"yolo_grid","levels":[)";
const std::string kThree = R"("anchors":[[1,1],[2,2],[3,3]]})", kTwo = R"("anchors":[[1,1],[2,2]]})";

const Case kCases[] = {
    // Boxes and scores.
    {kBoxes + R"("boxes":"boxes","scores":"scores"},"labels":["a","b","c"])", ""},
    {kBoxes + R"("boxes":"boxes","scores":"scores"},"labels":["a"])", ""},
    {kBoxes + R"("boxes":"scores","scores":"boxes"})", "decode.boxes: expected 1 x N x 4, found output 'scores' of Nx84x3"},
    {kBoxes + R"("boxes":"boxes","scores":"cell_scores"})", "decode.scores: expected 1 x 84 x C, a row for each box, found output 'cell_scores' of 1x64x3"},
    {kBoxes + R"("boxes":"boxes","scores":"nope"})", "decode.scores: expected an output of the network, 'bins', 'boxes'"},
    {kBoxes + R"("boxes":"boxes","scores":"scores","keypoints":"points"})", "decode.keypoints: expected 1 x 84 x pairs of x and y, found output 'points' of Nx84x5"},
    {kBoxes + R"("boxes":"boxes","scores":"scores","objectness":"scores"})", "decode.objectness: expected 1 x 84 x 1, a row for each box"},
    {kBoxes + R"("boxes":["boxes","cells"],"scores":["scores","boxes"]})", "decode.scores[1]: expected 1 x 64 x C"},
    {kBoxes + R"("boxes":"boxes","scores":"scores","background":3})", "decode.background: expected one of 3 classes (output 'scores' of Nx84x3), found 3"},
    {kBoxes + R"("boxes":"boxes","scores":"scores"},"labels":["a","b","c","d"])", "labels: expected at most 3, one a class (output 'scores' of Nx84x3), found 4 labels"},
    {kBoxes + R"("boxes":"boxes","scores":"scores","background":0},"labels":["a","b","c"])", "labels: expected at most 2, one a class"},
    {kBoxes + R"("boxes":"open","scores":"open"})", ""},
    {R"("task":"detection","decode":{"kind":"final","boxes":"boxes","labels":"scores","scores":"scores"})", "decode.labels: expected 1 x 84 x 1, a row for each box"},
    // Rows.
    {R"("task":"detection","decode":{"kind":"rows","output":"rows","columns":["cx","cy","w","h","objectness","classes"]},"labels":["a","b","c"])", ""},
    {R"("task":"detection","decode":{"kind":"rows","output":"columns","transposed":true,"columns":["cx","cy","w","h","classes"]})", ""},
    {R"("task":"detection","decode":{"kind":"rows","output":"rows","columns":["x1","y1","x2","y2","score","class"]})",
     "decode.columns: expected 1 x N x (6), a row a box, found output 'rows' of 1x84x8"},
    {R"("task":"detection","decode":{"kind":"rows","output":"boxes","transposed":true,"columns":["cx","cy","w","h","classes"]})", ""},
    {R"("task":"detection","decode":{"kind":"rows","output":"boxes","columns":["cx","cy","w","h","classes"]})", "decode.columns: expected 1 x N x (5 or more)"},
    // Grids.
    {kYolo + R"({"output":"s8","stride":8,)" + kThree + R"(]},"labels":["a","b","c"])", ""},
    {kYolo + R"({"output":"s8","stride":8,)" + kThree + R"(]})", ""},
    {kYolo + R"({"output":"s8","stride":8,)" + kThree + R"(,{"output":"s16","stride":8,)" + kThree + R"(]})",
     "decode.levels[1].stride: expected one that makes the 4x4 cells of output 's16' from 64x64 pixels, found 8, which makes 8x8"},
    {kYolo + R"({"output":"s8","stride":8,)" + kTwo + R"(]},"labels":["a","b","c"])",
     "decode.levels[0].anchors: expected 2 anchors * (5 + 3 labels) = 16 channels, found output 's8' of Nx24x8x8"},
    {kYolo + R"({"output":"s8","stride":8,)" + kThree + R"(]},"labels":["a","b"])", "decode.levels[0].anchors: expected 3 anchors * (5 + 2 labels) = 21 channels"},
    {kYolo + R"({"output":"planes","stride":8,)" + kThree + "]}", "decode.levels[0].anchors: expected 3 anchors * (5 + classes) channels"},
    {kYolo + R"({"output":"boxes","stride":8,)" + kThree + "]}", "decode.levels[0].output: expected 1 x 3*(5+classes) x H x W"},
    {R"("task":"detection","decode":{"kind":"anchor_free_grid","box_decoding":"ltrb","levels":[{"stride":8,"boxes":"cells","scores":"cell_scores"}]})", ""},
    {R"("task":"detection","decode":{"kind":"anchor_free_grid","box_decoding":"ltrb","levels":[{"stride":16,"boxes":"cells","scores":"cell_scores"}]})",
     "decode.levels[0].stride: expected one that makes the 64 cells of output 'cells' from 64x64 pixels, found 16, which makes 16"},
    {R"("task":"detection","decode":{"kind":"anchor_free_grid","box_decoding":"dfl","levels":[{"stride":8,"boxes":"bins","scores":"cell_scores"}]})",
     "decode.levels[0].boxes: expected 1 x N x 4 * bins, two bins or more, found output 'bins' of 1x64x10"},
    {R"("task":"detection","decode":{"kind":"ssd_priors","boxes":"cells","scores":"cell_scores","levels":[{"stride":8,"sizes":[[1,1],[2,2]]}]})",
     "decode.levels: expected 64 priors, as many as the boxes of output 'cells', found 128 on an input of 64x64 pixels"},
    {kYolo + R"({"output":"s8","stride":8,)" + kThree + R"(,{"output":"s16","stride":16,)" + kTwo + R"(]})",
     "decode.levels[1].anchors: expected 2 anchors * (5 + 3 classes) channels like the levels before, found output 's16' of Nx24x4x4"},
    {kBoxes + R"("boxes":["boxes","boxes"],"scores":["scores","boxes"]})", "decode.scores[1]: expected 1 x 84 x 3 like the levels before, found output 'boxes' of Nx84x4"},
    // Vectors and maps.
    {R"("task":"classification","decode":{"output":"logits"})", ""},
    {R"("task":"classification","decode":{"output":"planes"})", "decode.output: expected 1 x classes, found output 'planes' of Nx4x16x16"},
    {R"("task":"classification","decode":{"output":"logits","skip":10})", "decode.skip: expected less than the 10 classes of output 'logits', found 10"},
    {R"("task":"classification","decode":{"output":"logits","skip":8},"labels":["a","b","c"])", "labels: expected at most 2"},
    {R"("task":"segmentation","decode":{"output":"planes"},"labels":["a","b","c","d"])", ""},
    {R"("task":"segmentation","decode":{"output":"plane"})", "decode.output: expected 1 x C x H x W with a plane for each of two or more classes, found output 'plane' of 1x1x16x16"},
    {R"("task":"segmentation","decode":{"output":"two"})", "decode.output: expected 1 x C x H x W, found output 'two' of 2x4x16x16"},
    {R"("task":"segmentation","decode":{"output":"planes","classes":"map"})", "decode.output: expected one plane, 1 x 1 x H x W, found output 'planes' of Nx4x16x16"},
    {R"("task":"segmentation","decode":{"output":"plane","classes":"threshold"},"labels":["a","b","c"])", "labels: expected at most 2"},
    {R"("task":"segmentation","decode":{"output":"planes"},"paint":{"background":4})", "paint.background: expected one of 4 classes, or -1, found 4"},
    {R"("task":"depth","decode":{"output":"planes"})", "decode.output: expected one plane"},
    {R"("task":"landmarks","decode":{"output":"logits","values_per_point":3})", "decode.output: expected 1 x points * 3 (values_per_point), found output 'logits' of Nx10"},
};

class RecipeFit : public testing::TestWithParam<Case> {};

TEST_P(RecipeFit, ContradictionsAreNamed) {
  const Status status = fit_outputs(recipe_of(R"({"input":{},)" + GetParam().task + "}"), outputs(), {64, 64});
  if (GetParam().phrase.empty()) {
    EXPECT_TRUE(status.ok()) << status.to_string();
    return;
  }
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.code(), ErrorCode::InvalidModel);
  EXPECT_TRUE(status.message().starts_with("recipe: " + GetParam().phrase)) << status.to_string();
}

INSTANTIATE_TEST_SUITE_P(All, RecipeFit, testing::ValuesIn(kCases));

struct InputCase {
  std::string input;  ///< and keys beside it
  std::string phrase;
};

const InputCase kInputCases[] = {
    {R"({})", ""},
    {R"({"size":[64,64]})", ""},
    {R"({"size":[32,64]})", "recipe: input.size: expected [64, 64] for input 'x' of Nx3x64x64, found [32, 64]"},
    {R"({"name":"y"})", "recipe: input.name: expected an input of the network, 'x', found 'y'"},
    {R"({"color":"gray"})", "recipe: input.color: expected 3 channels for input 'x' of Nx3x64x64, found 1"},
    {R"({"resize":"crop","shorter_side":80})", ""},
    {R"({"resize":"crop","shorter_side":48})", "recipe: input.shorter_side: expected at least 64, the larger side of what is cut out, found 48"},
    {R"({"resize":"crop","shorter_side":48,"fill":0})", ""},
    {R"({"inner_size":[80,64]})", "recipe: input.inner_size: expected a size that fits into [64, 64], found [80, 64]"},
    {R"({},"size_inputs":{"scale":"picture_size"})", "recipe: size_inputs: expected inputs of the network, 'x', found 'scale'"},
    {R"({"name":"x"},"size_inputs":{"x":"picture_size"})", "recipe: size_inputs: expected another input than the picture's, found 'x'"},
};

class RecipeFitInput : public testing::TestWithParam<InputCase> {};

TEST_P(RecipeFitInput, ContradictionsAreNamed) {
  const TensorInfo network[] = {{"x", DataType::f32, {"N", "3", "64", "64"}, true}};
  const Status status = fit_inputs(recipe_of(R"({"task":"depth","decode":{"output":"o"},"input":)" + GetParam().input + "}"), network);
  EXPECT_EQ(status.ok(), GetParam().phrase.empty()) << status.to_string();
  EXPECT_EQ(status.message().find(GetParam().phrase), 0u) << status.to_string();
}

INSTANTIATE_TEST_SUITE_P(All, RecipeFitInput, testing::ValuesIn(kInputCases));

TEST(RecipeFitNetwork, InputsThatTakeNoPicture) {
  const Recipe recipe = recipe_of(R"({"task":"depth","decode":{"output":"o"},"input":{"name":"x"}})");
  const auto message = [&](const std::vector<TensorInfo>& network) { return fit_inputs(recipe, network).message(); };
  EXPECT_NE(message({{"x", DataType::f32, {"8", "3", "64", "64"}, true}}).find("expected an input that takes one picture, found 'x' of 8x3x64x64"), std::string::npos);
  EXPECT_NE(message({{"x", DataType::i64, {"1", "3", "64", "64"}, true}}).find("input.name: expected an input of type f32"), std::string::npos);
  EXPECT_NE(message({{"x", DataType::f32, {"1", "3", "64"}, true}}).find("input.name: expected an input of 4 dimensions"), std::string::npos);
  EXPECT_NE(message({{"x", DataType::f32, {"1", "3", "H", "W"}, true}}).find("input.size: expected [height, width] for input 'x' of 1x3xHxW, found nothing"), std::string::npos);
  EXPECT_NE(message({{"x", DataType::f32, {"1", "3", "8", "8"}, true}, {"s", DataType::f32, {"1"}, true}}).find("size_inputs: expected a word on the network's input 's'"),
            std::string::npos);
}

TEST(OutputShape, OneRowAndOneColumn) {
  const OutputShape row = shape_of(TensorInfo{"o", DataType::f32, {"1", "4"}, true});
  EXPECT_EQ(matrix_shape(row, false, {})->columns, 4) << "boxes without a batch";
  EXPECT_EQ(matrix_shape(row, false, 1)->columns, 4) << "scores of one box";
  EXPECT_EQ(matrix_shape(row, false, 4)->rows, 4) << "a score for each of four boxes";
  EXPECT_EQ(matrix_shape(row, false, kOpen)->rows, kOpen);
}

}  // namespace
}  // namespace fovea::task
