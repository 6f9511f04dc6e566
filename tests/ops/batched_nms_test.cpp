// SPDX-License-Identifier: Apache-2.0
// fovea::batched_nms: classes, padding, codings; and its tuned kernel against the reference.
#include <cmath>
#include <limits>

#include "support/kernel_test.h"
#include "support/op_test.h"

namespace fovea::testing {
namespace {


// Box 1 lies on box 0, box 2 alone; two classes.
const Tensor kPaddedBoxes = tensor<float>({1, 3, 4}, {0, 0, 10, 10, 1, 0, 11, 10, 20, 20, 30, 30});
const Tensor kClassScores = tensor<float>({1, 3, 2}, {0.9, 0.2, 0.8, 0.6, 0.3, 0.7});

std::vector<Tensor> detect(std::vector<Datum> inputs, std::initializer_list<NamedAttribute> more, int outputs = 5) {
  Attributes all = attributes({{"max_output_boxes", 4}, {"iou_threshold", 0.5}});
  for (const NamedAttribute& attribute : more) all.set(attribute.name, attribute.value);
  return run_op("fovea::batched_nms", std::move(inputs), all, outputs).value();
}
Tensor row(std::initializer_list<double> values) {
  return tensor<std::int32_t>({1, static_cast<std::int64_t>(values.size())}, values);
}

TEST(BatchedNms, EachClassKeepsItsOwn) {
  const auto y = detect({kPaddedBoxes, kClassScores}, {{"score_threshold", 0.25}, {"padding_class", -1}});
  EXPECT_TRUE(same(y[0], row({4})));
  EXPECT_TRUE(same(y[4], row({0, 2, 1, 2})));
  EXPECT_TRUE(same(y[3], row({0, 1, 1, 0})));
  EXPECT_TRUE(close(y[2], tensor<float>({1, 4}, {0.9, 0.7, 0.6, 0.3})));
  EXPECT_TRUE(close(y[1], tensor<float>({1, 4, 4}, {0, 0, 10, 10, 20, 20, 30, 30, 1, 0, 11, 10, 20, 20, 30, 30})));
}

TEST(BatchedNms, ClassesCompete) {
  const auto y = detect({kPaddedBoxes, kClassScores}, {{"score_threshold", 0.25}, {"class_agnostic", 1}, {"padding_class", -1}});
  EXPECT_TRUE(same(y[0], row({2})));
  EXPECT_TRUE(same(y[4], row({0, 2, -1, -1})));
  EXPECT_TRUE(same(y[3], row({0, 1, -1, -1})));
  EXPECT_TRUE(close(y[2], tensor<float>({1, 4}, {0.9, 0.7, 0, 0})));
  EXPECT_TRUE(
      same(detect({kPaddedBoxes, kClassScores}, {{"class_agnostic", 1}, {"background_class", 0}})[4], row({2, 1, -1, -1})));
}

TEST(BatchedNms, RowsWithoutGapsBetweenImages) {
  const Tensor boxes = tensor<float>({3, 1, 4}, {0, 0, 1, 1, 0, 0, 1, 1, 0, 0, 1, 1}), scores = tensor<float>({3, 1, 2}, {0.9, 0.8, 0.1, 0.2, 0.3, 0.7});
  const auto rows = [&](double threshold) { return detect({boxes, scores}, {{"score_threshold", threshold}, {"max_output_boxes", 2}}, 6)[5]; };
  EXPECT_TRUE(same(rows(0.5), tensor<std::int32_t>({6, 3}, {0, 0, 0, 0, 1, 0, 2, 1, 0, 2, 1, 0, 2, 1, 0, 2, 1, 0})));
  EXPECT_TRUE(same(rows(0.95), tensor<std::int32_t>({6, 3}, {-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1})));
}

TEST(BatchedNms, NothingFound) {
  const auto y = detect({kPaddedBoxes, kClassScores}, {{"score_threshold", 0.95}});
  EXPECT_TRUE(same(y[0], row({0})));
  EXPECT_TRUE(same(y[3], row({0, 0, 0, 0})));
  EXPECT_TRUE(same(y[1], tensor<float>({1, 4, 4}, {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0})));
  const auto none = detect(
      {Tensor::allocate(DataType::f32, {2, 0, 4}).value(), Tensor::allocate(DataType::f32, {2, 0, 3}).value()}, {});
  EXPECT_TRUE(same(none[0], tensor<std::int32_t>({2, 1}, {0, 0})));
}

TEST(BatchedNms, ThresholdCandidatesBackground) {
  const auto kept = [&](std::initializer_list<NamedAttribute> more) { return detect({kPaddedBoxes, kClassScores}, more)[0]; };
  const double third = static_cast<double>(0.3f);
  EXPECT_TRUE(same(kept({{"score_threshold", third}}), row({3})));
  EXPECT_TRUE(same(kept({{"score_threshold", third}, {"inclusive", 1}}), row({4})));
  EXPECT_TRUE(same(kept({{"candidates", 1}}), row({2})));
  EXPECT_TRUE(same(kept({{"background_class", 1}}), row({2})));
  EXPECT_TRUE(same(kept({{"background_class", 7}}), row({4})));
}

TEST(BatchedNms, OverlapAtTheThreshold) {
  const Tensor boxes = tensor<float>({1, 2, 4}, {0, 0, 4, 4, 0, 0, 4, 2}),
               scores = tensor<float>({1, 2, 1}, {0.9, 0.8});
  EXPECT_TRUE(same(detect({boxes, scores}, {})[0], row({2})));
  EXPECT_TRUE(same(detect({boxes, scores}, {{"inclusive", 1}})[0], row({1})));
}

TEST(BatchedNms, CodingsAnchorsSigmoidClip) {
  const Tensor centres = tensor<float>({1, 1, 4}, {0.5, 0.5, 1.5, 0.5}), one = tensor<float>({1, 1, 1}, {0});
  const auto y = detect(
      {centres, one}, {{"box_coding", 1}, {"max_output_boxes", 1}, {"score_activation", 1}, {"score_threshold", 0.4}});
  EXPECT_TRUE(close(y[1], tensor<float>({1, 1, 4}, {-0.25, 0.25, 1.25, 0.75})));
  EXPECT_TRUE(close(y[2], tensor<float>({1, 1}, {0.5})));
  EXPECT_TRUE(same(detect({centres, one}, {{"score_activation", 1}, {"score_threshold", 0.6}})[0], row({0})));
  EXPECT_TRUE(close(
      detect({centres, one}, {{"box_coding", 1}, {"max_output_boxes", 1}, {"clip", 1}, {"score_threshold", -1.0}})[1],
      tensor<float>({1, 1, 4}, {0, 0.25, 1, 0.75})));
  const Tensor anchors = tensor<float>({1, 1, 4}, {10, 20, 2, 4}),
               moves = tensor<float>({1, 1, 4}, {0.5, -0.5, 0, std::log(2.0)});
  EXPECT_TRUE(
      close(detect({moves, one, anchors}, {{"box_coding", 1}, {"max_output_boxes", 1}, {"score_threshold", -1.0}})[1],
            tensor<float>({1, 1, 4}, {10, 14, 12, 22})));
}

TEST(BatchedNms, OwnBoxesOfEachClass) {
  const Tensor boxes = tensor<float>({1, 2, 2, 4}, {0, 0, 1, 1, 5, 5, 9, 9, 0, 0, 1, 1, 20, 20, 30, 30});
  const auto y = detect({boxes, tensor<float>({1, 2, 2}, {0.9, 0.8, 0.7, 0.6})}, {});
  EXPECT_TRUE(same(y[0], row({3})));
  EXPECT_TRUE(same(y[3], row({0, 1, 1, 0})));
  EXPECT_TRUE(close(y[1], tensor<float>({1, 4, 4}, {0, 0, 1, 1, 5, 5, 9, 9, 20, 20, 30, 30, 0, 0, 0, 0})));
}

TEST(BatchedNms, ShapesAndErrors) {
  const auto symbolic = [](const char* shape) { return FakeInferContext::symbolic(DataType::f16, shape); };
  EXPECT_EQ(
      infer_text("fovea::batched_nms", {symbolic("NxSx4"), symbolic("NxSxC")}, attributes({{"max_output_boxes", 9}})),
      "i32 Nx1");
  EXPECT_TRUE(fails(run_op("fovea::batched_nms", {kPaddedBoxes, kClassScores}, attributes({{"max_output_boxes", 0}})),
                    ErrorCode::InvalidModel, "max_output_boxes"));
  EXPECT_TRUE(fails(
      run_op("fovea::batched_nms", {kPaddedBoxes, tensor<float>({1, 2, 1}, {1, 1})}, attributes({{"max_output_boxes", 1}})),
      ErrorCode::InvalidArgument, "boxes"));
  EXPECT_TRUE(fails(
      run_op("fovea::batched_nms", {kPaddedBoxes, kClassScores, kPaddedBoxes}, attributes({{"max_output_boxes", 1}, {"box_coding", 3}})),
      ErrorCode::InvalidModel, "box_coding"));
}

TEST(BatchedNmsKernel, AgreesWithTheReference) {
  unsigned seed = 1;
  for (const int classes : {1, 3, 33}) {
    for (const int own : {0, 1}) {
      for (int variant = 0; variant < 6; ++variant) {
        Tensor boxes = random(DataType::f32, {2, 150, own ? classes : 1, variant == 4 ? 5 : 4}, 0, 30, ++seed),
               scores = random(DataType::f32, {2, 150, classes}, 0, 1, ++seed);
        scores.data<float>()[7] = static_cast<float>(kNaN);
        scores.data<float>()[70] = scores.data<float>()[71];
        KernelCase test{.op = "fovea::batched_nms",
                        .attributes = attributes({{"max_output_boxes", variant == 1 ? 400 : 20},
                                                  {"iou_threshold", 0.3},
                                                  {"score_threshold", variant == 2 ? 0.0 : 0.5},
                                                  {"class_agnostic", variant == 3 ? 1 : 0},
                                                  {"background_class", variant == 3 ? 1 : -1},
                                                  {"box_coding", variant == 4   ? 2
                                                                 : variant == 5 ? 1
                                                                                : 0},
                                                  {"score_activation", variant == 5 ? 1 : 0},
                                                  {"candidates", variant == 2 ? 30 : 0},
                                                  {"clip", variant == 1 ? 1 : 0},
                                                  {"offset", variant == 0 ? 1 : 0}}),
                        .inputs = {boxes, scores}};
        test.num_outputs = 6;
        EXPECT_TRUE(agrees(test)) << classes << " classes, own " << own << ", variant " << variant;
        test.threads = 1;
        EXPECT_TRUE(agrees(test)) << classes << " classes, own " << own << ", variant " << variant;
      }
    }
  }
}

}  // namespace
}  // namespace fovea::testing
