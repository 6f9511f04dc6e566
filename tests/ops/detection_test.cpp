// SPDX-License-Identifier: Apache-2.0
// NonMaxSuppression and RoiAlign: ties, thresholds, degenerate boxes and regions.
#include <limits>

#include "support/op_test.h"

namespace fovea::testing {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN(), kInf = std::numeric_limits<double>::infinity();

// Two pairs that overlap by 9/11 and one box alone.
const Tensor kBoxes = tensor<float>({1, 5, 4}, {0, 0, 10, 10, 0, 1, 10, 11, 20, 0, 30, 10, 20, 1, 30, 11, 40, 40, 50, 50});
const Tensor kScores = tensor<float>({1, 1, 5}, {0.9, 0.75, 0.6, 0.95, 0.05});

Tensor keep(const Tensor& boxes, const Tensor& scores, std::int64_t limit, double iou, Datum score = {}) {
  return run_op1("NonMaxSuppression", {boxes, scores, ints({limit}), scalar(iou), std::move(score)});
}
Tensor rows(std::initializer_list<std::int64_t> boxes) {
  Tensor result = Tensor::allocate(DataType::i64, {static_cast<std::int64_t>(boxes.size()), 3}).value();
  std::int64_t* row = result.data<std::int64_t>();
  for (std::int64_t box : boxes) row[2] = box, row += 3;
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
  EXPECT_EQ(infer_text("NonMaxSuppression", {FakeInferContext::symbolic(DataType::f32, "NxSx4"), FakeInferContext::symbolic(DataType::f32, "NxCxS")}),
            "i64 _nms_0x3");
  EXPECT_TRUE(fails(run_op("NonMaxSuppression", {kBoxes, tensor<float>({1, 1, 4}, {1, 1, 1, 1})}), ErrorCode::InvalidArgument, "scores"));
  const std::int64_t many = std::int64_t{1} << 40;
  EXPECT_TRUE(same(keep(Tensor::allocate(DataType::f32, {many, 0, 4}).value(), Tensor::allocate(DataType::f32, {many, 1, 0}).value(), 9, 0.5), rows({})));
  EXPECT_TRUE(same(keep(Tensor::allocate(DataType::f32, {0, 5, 4}).value(), Tensor::allocate(DataType::f32, {0, 1, 5}).value(), 9, 0.5), rows({})));
}

const Tensor kMap = tensor<float>({1, 1, 4, 4}, {1, 2, 5, 6, 3, 4, 7, 8, 9, 10, 13, 14, 11, 12, 15, 16});

Tensor align(std::initializer_list<double> roi, Attributes extra, std::int64_t edge = 2) {
  extra.set("output_height", edge);
  extra.set("output_width", edge);
  return run_op1("RoiAlign", {kMap, tensor<float>({1, 4}, roi), ints({0})}, extra);
}

TEST(RoiAlign, MeanInBothCoordinateSystems) {
  const Attributes legacy = attributes({{"coordinate_transformation_mode", "output_half_pixel"}, {"sampling_ratio", 2}});
  EXPECT_TRUE(close(align({0, 0, 3, 3}, attributes({{"sampling_ratio", 2}})), tensor<float>({1, 1, 2, 2}, {1.9375, 4.75, 7.5625, 10.375})));
  EXPECT_TRUE(close(align({0, 0, 3, 3}, {}), tensor<float>({1, 1, 2, 2}, {1.9375, 4.75, 7.5625, 10.375})));
  EXPECT_TRUE(close(align({0, 0, 3, 3}, legacy), tensor<float>({1, 1, 2, 2}, {3.625, 6.875, 10.125, 13.375})));
}

TEST(RoiAlign, DegenerateRegions) {
  const Attributes legacy = attributes({{"coordinate_transformation_mode", "output_half_pixel"}});
  EXPECT_TRUE(same(align({1, 1, 1, 1}, {}, 1), tensor<float>({1, 1, 1, 1}, {0})));
  EXPECT_TRUE(close(align({1, 1, 1, 1}, legacy, 1), tensor<float>({1, 1, 1, 1}, {8.5})));
  for (const char* mode : {"avg", "max"}) {
    EXPECT_TRUE(same(align({3, 3, 1, 1}, attributes({{"mode", mode}}), 1), tensor<float>({1, 1, 1, 1}, {0})));
    EXPECT_TRUE(same(align({0, kNaN, 1, 1}, attributes({{"mode", mode}}), 1), tensor<float>({1, 1, 1, 1}, {0})));
    EXPECT_TRUE(same(align({0, 0, kInf, 1}, attributes({{"mode", mode}}), 1), tensor<float>({1, 1, 1, 1}, {0})));
  }
}

TEST(RoiAlign, AHugeRegionCostsNoMoreThanTheMap) {
  const Tensor y = align({-1e30, -1e30, 1e30, 1e30}, attributes({{"sampling_ratio", 0}}), 2);
  for (std::int64_t i = 0; i < 4; ++i) EXPECT_NEAR(element(y, i), 0, 1e-6);
  // 1000 samples a side, 4.5 of which lie on the map: all of the map counts, 4 + half a border on each end.
  EXPECT_NEAR(element(align({0, 0, 1000, 1000}, attributes({{"coordinate_transformation_mode", "output_half_pixel"}}), 1), 0), 179 / 1e6, 2e-5);
}

TEST(RoiAlign, RefusesNonsense) {
  const Tensor roi = tensor<float>({1, 4}, {0, 0, 1, 1});
  EXPECT_TRUE(fails(run_op("RoiAlign", {kMap, roi, ints({1})}), ErrorCode::InvalidArgument, "batch_indices"));
  EXPECT_TRUE(fails(run_op("RoiAlign", {kMap, roi, ints({-1})}), ErrorCode::InvalidArgument, "batch_indices"));
  EXPECT_TRUE(fails(run_op("RoiAlign", {kMap, roi, ints({0, 0})}), ErrorCode::InvalidArgument, "batch_indices"));
  EXPECT_TRUE(fails(run_op("RoiAlign", {kMap, roi, ints({0})}, attributes({{"output_height", 0}})), ErrorCode::InvalidModel, "output_height"));
  EXPECT_TRUE(fails(run_op("RoiAlign", {kMap, roi, ints({0})}, attributes({{"sampling_ratio", 1 << 30}})), ErrorCode::InvalidModel, "sampling_ratio"));
  EXPECT_EQ(infer_text("RoiAlign", {FakeInferContext::symbolic(DataType::f32, "NxCxHxW"), FakeInferContext::symbolic(DataType::f32, "Rx4"),
                                    FakeInferContext::symbolic(DataType::i64, "R")}),
            "f32 RxCx1x1");
}

}  // namespace
}  // namespace fovea::testing
