// SPDX-License-Identifier: Apache-2.0
// NonMaxSuppression in its spellings: ties, thresholds, limits, degenerate boxes.
#include <cmath>
#include <limits>

#include "ops/detection/rotated_box.h"
#include "support/op_test.h"

namespace fovea::testing {
namespace {


// Two pairs that overlap by 9/11 and one box alone.
const Tensor kBoxes =
    tensor<float>({1, 5, 4}, {0, 0, 10, 10, 0, 1, 10, 11, 20, 0, 30, 10, 20, 1, 30, 11, 40, 40, 50, 50});
const Tensor kScores = tensor<float>({1, 1, 5}, {0.9, 0.75, 0.6, 0.95, 0.05});

Tensor keep(const Tensor& boxes, const Tensor& scores, std::int64_t limit, double iou, Datum score = {}) {
  return run_op1("NonMaxSuppression", {boxes, scores, ints({limit}), scalar(iou), std::move(score)});
}
template <class T = std::int64_t>
Tensor rows(std::initializer_list<std::int64_t> boxes, std::int64_t padding = 0) {
  Tensor result = Tensor::allocate(kTypeOf<T>, {static_cast<std::int64_t>(boxes.size()) + padding, 3}).value();
  T* row = result.data<T>();
  std::fill(row, row + result.elements(), T(-1));
  for (std::int64_t box : boxes) row[0] = row[1] = 0, row[2] = static_cast<T>(box), row += 3;
  return result;
}

TEST(NonMaxSuppression, ThresholdsAndLimits) {
  EXPECT_TRUE(same(keep(kBoxes, kScores, 9, 0.5), rows({3, 0, 4})));
  EXPECT_TRUE(same(keep(kBoxes, kScores, 9, 0.5, scalar(0.3)), rows({3, 0})));
  EXPECT_TRUE(same(keep(kBoxes, kScores, 1, 0.5), rows({3})));
  EXPECT_TRUE(same(keep(kBoxes, kScores, 0, 0.5), rows({})));
  EXPECT_TRUE(same(keep(kBoxes, kScores, -7, 0.5), rows({})));
  EXPECT_TRUE(same(keep(kBoxes, kScores, std::numeric_limits<std::int64_t>::max(), 1), rows({3, 0, 1, 2, 4})));
  EXPECT_TRUE(same(run_op1("NonMaxSuppression", {kBoxes, kScores}), rows({})));
  // A score equal to the threshold does not take part.
  EXPECT_TRUE(same(keep(kBoxes, tensor<float>({1, 1, 5}, {0.5, 0, 0, 0.25, 0}), 9, 0.5, scalar(0.25)), rows({0})));
  // All scores below it: nothing, not even the best.
  EXPECT_TRUE(
      same(keep(kBoxes, tensor<float>({1, 1, 5}, {0.2, 0.1, 0.05, 0.15, 0.01}), 3, 0.5, scalar(0.3)), rows({})));
  // Thresholds left out: any overlap hides.
  EXPECT_TRUE(same(run_op1("NonMaxSuppression", {kBoxes, kScores, ints({9})}), rows({3, 0, 4})));
}

TEST(NonMaxSuppression, OverlapAtTheThresholdIsKept) {
  const Tensor boxes = tensor<float>({1, 2, 4}, {0, 0, 4, 4, 0, 0, 4, 2});
  EXPECT_TRUE(same(keep(boxes, tensor<float>({1, 1, 2}, {2, 1}), 9, 0.5), rows({0, 1})));
  EXPECT_TRUE(same(keep(boxes, tensor<float>({1, 1, 2}, {2, 1}), 9, 0.499), rows({0})));
}

TEST(NonMaxSuppression, CornersInAnyOrderAndCentres) {
  const Tensor flipped =
      tensor<float>({1, 5, 4}, {10, 10, 0, 0, 0, 11, 10, 1, 30, 0, 20, 10, 20, 1, 30, 11, 50, 50, 40, 40});
  EXPECT_TRUE(same(keep(flipped, kScores, 9, 0.5), rows({3, 0, 4})));
  const Tensor centres =
      tensor<float>({1, 5, 4}, {5, 5, 10, 10, 5, 6, 10, 10, 25, 5, 10, 10, 25, 6, 10, 10, 45, 45, 10, 10});
  EXPECT_TRUE(same(
      run_op1("NonMaxSuppression", {centres, kScores, ints({9}), scalar(0.5)}, attributes({{"center_point_box", 1}})),
      rows({3, 0, 4})));
}

TEST(NonMaxSuppression, TiesTakeTheLowerIndexAndNaNIsLeftOut) {
  EXPECT_TRUE(same(keep(kBoxes, tensor<float>({1, 1, 5}, {0.5, 0.5, 0.5, 0.5, 0.5}), 9, 0.5), rows({0, 2, 4})));
  EXPECT_TRUE(same(keep(kBoxes, tensor<float>({1, 1, 5}, {kNaN, 0.5, kNaN, kInf, 0.1}), 9, 0.5), rows({3, 1, 4})));
}

TEST(NonMaxSuppression, BoxesWithoutAreaOrNumberOverlapNothing) {
  const Tensor boxes = tensor<float>({1, 4, 4}, {0, 0, 0, 9, 0, 0, 0, 9, 0, 0, kNaN, 9, 0, 0, 9, 9});
  EXPECT_TRUE(same(keep(boxes, tensor<float>({1, 1, 4}, {4, 3, 2, 1}), 9, 0), rows({0, 1, 2, 3})));
}

TEST(NonMaxSuppression, ShapesAndErrors) {
  const auto symbolic = [](const char* shape) { return FakeInferContext::symbolic(DataType::f32, shape); };
  EXPECT_EQ(infer_text("NonMaxSuppression", {symbolic("NxSx4"), symbolic("NxCxS")}), "i64 _nms_0x3");
  EXPECT_NE(infer_text("NonMaxSuppression", {symbolic("NxSx5"), symbolic("NxCxS")}).find("4 numbers a box"),
            std::string::npos);
  EXPECT_TRUE(fails(run_op("NonMaxSuppression", {kBoxes, tensor<float>({1, 1, 4}, {1, 1, 1, 1})}),
                    ErrorCode::InvalidArgument, "scores"));
  const std::int64_t many = std::int64_t{1} << 40;
  EXPECT_TRUE(same(keep(Tensor::allocate(DataType::f32, {many, 0, 4}).value(),
                        Tensor::allocate(DataType::f32, {many, 1, 0}).value(), 9, 0.5),
                   rows({})));
  EXPECT_TRUE(same(keep(Tensor::allocate(DataType::f32, {0, 5, 4}).value(),
                        Tensor::allocate(DataType::f32, {0, 1, 5}).value(), 9, 0.5),
                   rows({})));
}

// --- mmcv's form

std::vector<Tensor> keep_padded(const Tensor& scores, int limit, double score_threshold) {
  return run_op(
             "mmcv::NonMaxSuppression", {kBoxes, scores},
             attributes(
                 {{"iou_threshold", 0.5}, {"max_output_boxes_per_class", limit}, {"score_threshold", score_threshold}}),
             2)
      .value();
}

TEST(MmcvNonMaxSuppression, RowsArePaddedAndCounted) {
  const auto some = keep_padded(kScores, 4, 0.3), all = keep_padded(kScores, 4, 0);
  EXPECT_TRUE(same(some[0], rows<std::int32_t>({3, 0}, 2)));
  EXPECT_TRUE(same(some[1], tensor<std::int32_t>({1}, {2})));
  EXPECT_TRUE(same(all[0], rows<std::int32_t>({3, 0, 4}, 1)));
  EXPECT_TRUE(same(keep_padded(kScores, 0, 0)[0], rows<std::int32_t>({3, 0, 4}, 2)));
  // No box reaches the threshold: mmcv would tell of the best one all the same.
  const auto none = keep_padded(tensor<float>({1, 1, 5}, {0.2, 0.1, 0.05, 0.15, 0.01}), 3, 0.3);
  EXPECT_TRUE(same(none[0], rows<std::int32_t>({}, 3)));
  EXPECT_TRUE(same(none[1], tensor<std::int32_t>({1}, {0})));
}

TEST(MmcvNonMaxSuppression, OffsetCountsTheLastPixel) {
  // 1 x 1 boxes at a distance of one pixel only touch, with the last pixel they overlap by 2 of 6.
  const Tensor boxes = tensor<float>({2, 4}, {0, 0, 1, 1, 1, 0, 2, 1}), scores = tensor<float>({2}, {1, 2});
  const auto kept = [&](int offset, double iou) {
    return run_op1("mmcv::NonMaxSuppression", {boxes, scores},
                   attributes({{"iou_threshold", iou}, {"offset", offset}}));
  };
  EXPECT_TRUE(same(kept(0, 0.3), ints({1, 0})));
  EXPECT_TRUE(same(kept(1, 0.3), ints({1})));
  EXPECT_TRUE(same(kept(1, 0.34), ints({1, 0})));
  EXPECT_TRUE(fails(run_op("mmcv::NonMaxSuppression", {boxes, scores}, attributes({{"offset", 2}})),
                    ErrorCode::InvalidModel, "offset"));
}

TEST(MmcvNonMaxSuppression, ShapesFollowTheRank) {
  const auto symbolic = [](const char* shape) { return FakeInferContext::symbolic(DataType::f32, shape); };
  EXPECT_EQ(infer_text("mmcv::NonMaxSuppression", {symbolic("2x5x4"), symbolic("2x3x5")},
                       attributes({{"max_output_boxes_per_class", 4}})),
            "i32 24x3");
  EXPECT_EQ(infer_text("mmcv::NonMaxSuppression", {symbolic("2x5x4"), symbolic("2x3x5")}), "i32 30x3");
  EXPECT_EQ(infer_text("mmcv::NonMaxSuppression", {symbolic("Nx4"), symbolic("N")}), "i64 _nms_0");
  EXPECT_NE(infer_text("mmcv::NonMaxSuppression", {symbolic("Nx4"), symbolic("1xCxN")}).find("rank 1"),
            std::string::npos);
}

// --- rotated boxes

TEST(NmsRotated, SquaresTurned) {
  // The same square, turned by 45 degrees: the octagon in common is 0.8284 of the square, the union 1.1716 of it.
  const double quarter = std::acos(-1.0) / 4;
  const Tensor boxes = tensor<float>({1, 3, 5}, {5, 5, 2, 2, 0, 5, 5, 2, 2, quarter, 5, 8, 2, 2, quarter});
  const Tensor scores = tensor<float>({1, 1, 3}, {1, 2, 3});
  const auto kept = [&](double iou) {
    return run_op1("mmdeploy::NMSRotated", {boxes, scores}, attributes({{"iou_threshold", iou}}));
  };
  EXPECT_TRUE(same(kept(0.70), rows({2, 1})));
  EXPECT_TRUE(same(kept(0.71), rows({2, 1, 0})));
}

TEST(NmsRotated, IntersectionAreas) {
  const auto area = [](std::vector<float> a, std::vector<float> b) {
    return ops::intersection_area(ops::RotatedBox::from(a.data()), ops::RotatedBox::from(b.data()));
  };
  const float right = std::acos(0.0f);
  EXPECT_NEAR(area({0, 0, 4, 2, 0}, {0, 0, 4, 2, right}), 4, 1e-6);
  EXPECT_NEAR(area({0, 0, 4, 2, 0}, {1, 0, 4, 2, 0}), 6, 1e-6);
  EXPECT_NEAR(area({0, 0, 9, 9, 0.3f}, {1, 1, 1, 2, 1.1f}), 2, 1e-6);
  // Two diamonds, one above the other: a square of edge 2 - sqrt(2) in common.
  EXPECT_NEAR(area({0, 0, 2, 2, right / 2}, {0, 2, 2, 2, right / 2}), std::pow(2 - std::sqrt(2.0), 2), 1e-6);
  EXPECT_EQ(area({0, 0, 2, 2, 0}, {0, 0, 0, 2, 0}), 0);
  EXPECT_EQ(area({0, 0, 2, 2, 0}, {0, 0, -2, 2, 0}), 0);
  EXPECT_EQ(area({0, 0, 2, 2, 0}, {9, 0, 2, 2, 0}), 0);
}

// --- scores that sink

std::vector<Tensor> soften(int method, double min_score) {
  // Boxes 0 and 1 overlap by 9/11, box 2 lies alone.
  const Tensor boxes = tensor<float>({4, 4}, {0, 0, 10, 10, 1, 0, 11, 10, 20, 20, 30, 30, 0, 0, 1, 1}),
               scores = tensor<float>({4}, {0.8, 0.9, 0.5, kNaN});
  return run_op("mmcv::SoftNonMaxSuppression", {boxes, scores},
                attributes({{"iou_threshold", 0.3}, {"method", method}, {"min_score", min_score}, {"sigma", 0.5}}), 2)
      .value();
}

TEST(SoftNonMaxSuppression, NaiveLinearGaussian) {
  const double ratio = 9.0 / 11;
  EXPECT_TRUE(same(soften(0, 0.1)[1], ints({1, 2})));
  EXPECT_TRUE(same(soften(0, 0)[1], ints({1, 2, 0})));
  const auto linear = soften(1, 0.1), gaussian = soften(2, 0.1);
  EXPECT_TRUE(same(linear[1], ints({1, 2, 0})));
  EXPECT_TRUE(close(linear[0],
                    tensor<float>({3, 5}, {1, 0, 11, 10, 0.9, 20, 20, 30, 30, 0.5, 0, 0, 10, 10, 0.8 * (1 - ratio)}),
                    {1e-5, 1e-6}));
  EXPECT_NEAR(element(gaussian[0], 14), 0.8 * std::exp(-ratio * ratio / 0.5), 1e-6);
  EXPECT_TRUE(same(soften(2, 0.95)[1], ints({})));
}

TEST(SoftNonMaxSuppression, RefusesNonsense) {
  const Tensor boxes = tensor<float>({1, 4}, {0, 0, 1, 1}), scores = tensor<float>({1}, {1});
  EXPECT_TRUE(fails(run_op("mmcv::SoftNonMaxSuppression", {boxes, scores}, attributes({{"method", 3}}), 2),
                    ErrorCode::InvalidModel, "method"));
  EXPECT_TRUE(
      fails(run_op("mmcv::SoftNonMaxSuppression", {boxes, scores}, attributes({{"method", 2}, {"sigma", 0.0}}), 2),
            ErrorCode::InvalidModel, "sigma"));
  EXPECT_TRUE(fails(run_op("mmcv::SoftNonMaxSuppression", {boxes, tensor<float>({2}, {1, 1})}, {}, 2),
                    ErrorCode::InvalidArgument, "scores"));
}

}  // namespace
}  // namespace fovea::testing
