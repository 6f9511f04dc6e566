// SPDX-License-Identifier: Apache-2.0
// RoiAlign: coordinate systems, degenerate regions.
#include <cmath>
#include <limits>

#include "support/op_test.h"

namespace fovea::testing {
namespace {


const Tensor kMap = tensor<float>({1, 1, 4, 4}, {1, 2, 5, 6, 3, 4, 7, 8, 9, 10, 13, 14, 11, 12, 15, 16});

Tensor align(std::initializer_list<double> roi, Attributes extra, std::int64_t edge = 2) {
  extra.set("output_height", edge);
  extra.set("output_width", edge);
  return run_op1("RoiAlign", {kMap, tensor<float>({1, 4}, roi), ints({0})}, extra);
}

TEST(RoiAlign, MeanInBothCoordinateSystems) {
  const Attributes legacy =
      attributes({{"coordinate_transformation_mode", "output_half_pixel"}, {"sampling_ratio", 2}});
  EXPECT_TRUE(close(align({0, 0, 3, 3}, attributes({{"sampling_ratio", 2}})),
                    tensor<float>({1, 1, 2, 2}, {1.9375, 4.75, 7.5625, 10.375})));
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
  EXPECT_NEAR(
      element(align({0, 0, 1000, 1000}, attributes({{"coordinate_transformation_mode", "output_half_pixel"}}), 1), 0),
      179 / 1e6, 2e-5);
}

TEST(RoiAlign, RefusesNonsense) {
  const Tensor roi = tensor<float>({1, 4}, {0, 0, 1, 1});
  EXPECT_TRUE(fails(run_op("RoiAlign", {kMap, roi, ints({1})}), ErrorCode::InvalidArgument, "batch_indices"));
  EXPECT_TRUE(fails(run_op("RoiAlign", {kMap, roi, ints({-1})}), ErrorCode::InvalidArgument, "batch_indices"));
  EXPECT_TRUE(fails(run_op("RoiAlign", {kMap, roi, ints({0, 0})}), ErrorCode::InvalidArgument, "batch_indices"));
  EXPECT_TRUE(fails(run_op("RoiAlign", {kMap, roi, ints({0})}, attributes({{"output_height", 0}})),
                    ErrorCode::InvalidModel, "output_height"));
  EXPECT_TRUE(fails(run_op("RoiAlign", {kMap, roi, ints({0})}, attributes({{"sampling_ratio", 1 << 30}})),
                    ErrorCode::InvalidModel, "sampling_ratio"));
  EXPECT_EQ(infer_text("RoiAlign", {FakeInferContext::symbolic(DataType::f32, "NxCxHxW"),
                                    FakeInferContext::symbolic(DataType::f32, "Rx4"),
                                    FakeInferContext::symbolic(DataType::i64, "R")}),
            "f32 RxCx1x1");
}

// --- mmcv's forms

Tensor align_mmcv(std::initializer_list<double> roi, Attributes extra, std::int64_t edge = 2) {
  extra.set("output_height", edge);
  extra.set("output_width", edge);
  if (!extra.has("mode")) extra.set("mode", std::string("avg"));
  return run_op1("mmcv::MMCVRoiAlign", {kMap, tensor<float>({1, 5}, roi)}, extra);
}

TEST(MmcvRoiAlign, MeanAndMaximumOfSamples) {
  const Tensor aligned = tensor<float>({1, 1, 2, 2}, {1.9375, 4.75, 7.5625, 10.375});
  EXPECT_TRUE(close(align_mmcv({0, 0, 0, 3, 3}, attributes({{"sampling_ratio", 2}})), aligned));
  EXPECT_TRUE(close(align_mmcv({0, 0, 0, 3, 3}, attributes({{"sampling_ratio", 0}})), aligned));
  EXPECT_TRUE(close(align_mmcv({0, 0, 0, 3, 3}, attributes({{"sampling_ratio", -1}})), aligned));
  EXPECT_TRUE(close(align_mmcv({0, 0, 0, 3, 3}, attributes({{"sampling_ratio", 2}, {"aligned", 0}})),
                    tensor<float>({1, 1, 2, 2}, {3.625, 6.875, 10.125, 13.375})));
  EXPECT_TRUE(close(align_mmcv({0, 0, 0, 3, 3}, attributes({{"sampling_ratio", 2}, {"mode", "max"}})),
                    tensor<float>({1, 1, 2, 2}, {2.875, 6.375, 9.875, 13.375})));
}

TEST(MmcvRoiAlign, DegenerateRegions) {
  EXPECT_TRUE(same(align_mmcv({0, 1, 1, 1, 1}, {}, 1), tensor<float>({1, 1, 1, 1}, {0})));
  EXPECT_TRUE(same(align_mmcv({0, 1, 1, 1, 1}, attributes({{"mode", "max"}}), 1), tensor<float>({1, 1, 1, 1}, {0})));
  EXPECT_TRUE(close(align_mmcv({0, 1, 1, 1, 1}, attributes({{"aligned", 0}}), 1), tensor<float>({1, 1, 1, 1}, {8.5})));
  // The maximum of negative samples is negative, however low.
  const Tensor low = tensor<float>({1, 1, 2, 2}, {-20000, -20000, -20000, -20000});
  EXPECT_TRUE(close(run_op1("mmcv::MMCVRoiAlign", {low, tensor<float>({1, 5}, {0, 0, 0, 2, 2})},
                            attributes({{"mode", "max"}, {"output_height", 1}, {"output_width", 1}})),
                    tensor<float>({1, 1, 1, 1}, {-20000})));
}

TEST(MmcvRoiAlign, RefusesNonsense) {
  const auto refused = [](std::initializer_list<double> roi) {
    return run_op("mmcv::MMCVRoiAlign", {kMap, tensor<float>({1, 5}, roi)}, attributes({{"mode", "avg"}}));
  };
  for (const double image : {1.0, -1.0, kNaN, 1e30})
    EXPECT_TRUE(fails(refused({image, 0, 0, 1, 1}), ErrorCode::InvalidArgument, "image")) << image;
  EXPECT_TRUE(
      fails(run_op("mmcv::MMCVRoiAlign", {kMap, tensor<float>({1, 4}, {0, 0, 1, 1})}, attributes({{"mode", "avg"}})),
            ErrorCode::InvalidArgument, "[regions, 5]"));
  EXPECT_TRUE(fails(run_op("mmcv::MMCVRoiAlign", {kMap, tensor<float>({1, 5}, {0, 0, 0, 1, 1})},
                           attributes({{"mode", "avg"}, {"spatial_scale", 0.0}})),
                    ErrorCode::InvalidModel, "spatial_scale"));
}

TEST(RoiAlignRotated, TurnedByNothingAndByAQuarter) {
  const auto turned = [](double angle, int clockwise) {
    const Attributes how =
        attributes({{"output_height", 2}, {"output_width", 2}, {"sampling_ratio", 2}, {"clockwise", clockwise}});
    return run_op1("mmcv::MMCVRoIAlignRotated", {kMap, tensor<float>({1, 6}, {0, 1.5, 1.5, 3, 3, angle})}, how);
  };
  const double right = std::acos(0.0);
  EXPECT_TRUE(close(turned(0, 0), tensor<float>({1, 1, 2, 2}, {1.9375, 4.75, 7.5625, 10.375})));
  // y = u cos + v sin: the first row of cells walks down a column of the map.
  EXPECT_TRUE(close(turned(-right, 1), turned(right, 0), {1e-5, 1e-5}));
  EXPECT_TRUE(close(turned(right, 0), tensor<float>({1, 1, 2, 2}, {7.5625, 1.9375, 10.375, 4.75}), {1e-5, 1e-5}));
  EXPECT_TRUE(fails(run_op("mmcv::MMCVRoIAlignRotated", {kMap, tensor<float>({1, 6}, {0, 0, 0, 1e9, 1, 0})}),
                    ErrorCode::InvalidArgument, "samples a side"));
}

TEST(MultiLevelRoiAlign, SizeFindsTheLevel) {
  const auto map = [](double value, std::int64_t edge) {
    Tensor filled = Tensor::allocate(DataType::f32, {1, 1, edge, edge}).value();
    std::fill_n(filled.data<float>(), filled.elements(), static_cast<float>(value));
    return filled;
  };
  const std::vector<double> strides = {4, 8, 16};
  Attributes how =
      attributes({{"output_height", 1}, {"output_width", 1}, {"featmap_strides", strides}, {"pool_mode", 1}});
  const Tensor rois =
      tensor<float>({5, 5}, {0, 0, 0, 20, 20, 0, 0, 0, 111, 111, 0, 0, 0, 112, 112, 0, 0, 0, 9000, 300, 0, 5, 5, 5, 5});
  const Tensor y = run_op1("mmdeploy::MMCVMultiLevelRoiAlign", {rois, map(1, 64), map(2, 32), map(3, 600)}, how);
  EXPECT_TRUE(close(y, tensor<float>({5, 1, 1, 1}, {1, 1, 2, 3, 1}), {1e-5, 1e-5}));
  how.set("finest_scale", std::int64_t{0});
  EXPECT_TRUE(fails(run_op("mmdeploy::MMCVMultiLevelRoiAlign", {rois, map(1, 64), map(2, 32), map(3, 600)}, how),
                    ErrorCode::InvalidModel, "finest_scale"));
  how.set("finest_scale", std::int64_t{56});
  EXPECT_TRUE(
      fails(run_op("mmdeploy::MMCVMultiLevelRoiAlign", {rois, map(1, 64)}, how), ErrorCode::InvalidArgument, "3 maps"));
}

TEST(MultiLevelRoiAlign, RegionsGrowAboutTheirCentre) {
  // From pixel 4 to pixel 7 (4 wide), twice as wide: from 2 to 9.
  const Tensor map = random(DataType::f32, {1, 2, 20, 20});
  const std::vector<double> strides = {1};
  Attributes how = attributes({{"featmap_strides", strides}, {"pool_mode", 1}, {"aligned", 1}});
  const Tensor expected =
      run_op1("mmdeploy::MMCVMultiLevelRoiAlign", {tensor<float>({1, 5}, {0, 2, 2, 9, 9}), map}, how);
  how.set("roi_scale_factor", 2.0);
  EXPECT_TRUE(
      close(run_op1("mmdeploy::MMCVMultiLevelRoiAlign", {tensor<float>({1, 5}, {0, 4, 4, 7, 7}), map}, how), expected));
}

TEST(MultiLevelRotatedRoiAlign, AsOneLevelWouldDo) {
  const Tensor fine = random(DataType::f32, {1, 2, 20, 20}), coarse = random(DataType::f32, {1, 2, 10, 10}, -1, 1, 2);
  const std::vector<double> strides = {1, 2};
  const Attributes how =
      attributes({{"featmap_strides", strides}, {"finest_scale", 5}, {"aligned", 1}, {"clockwise", 1}});
  const Tensor small = tensor<float>({1, 6}, {0, 8, 9, 4, 3, 0.4}),
               large = tensor<float>({1, 6}, {0, 8, 9, 14, 13, 0.4});
  const auto alone = [](const Tensor& map, const Tensor& roi, double scale) {
    return run_op1("mmcv::MMCVRoIAlignRotated", {map, roi},
                   attributes({{"spatial_scale", scale}, {"sampling_ratio", 2}, {"clockwise", 1}}));
  };
  EXPECT_TRUE(
      close(run_op1("mmdeploy::MMCVMultiLevelRotatedRoiAlign", {small, fine, coarse}, how), alone(fine, small, 1)));
  EXPECT_TRUE(
      close(run_op1("mmdeploy::MMCVMultiLevelRotatedRoiAlign", {large, fine, coarse}, how), alone(coarse, large, 0.5)));
}

TEST(RotatedFeatureAlign, CentreAndCorners) {
  const Tensor map = tensor<float>({1, 1, 2, 2}, {1, 2, 3, 4});
  // Every box lies about (y, x) = (0, 1), 2 high and 2 wide on an image of twice the map's size.
  const Tensor boxes = tensor<float>({1, 2, 2, 5}, {0, 2, 2, 2, 0, 0, 2, 2, 2, 0, 0, 2, 2, 2, 0, 0, 2, 2, 2, 0});
  const auto aligned = [&](int points) {
    return run_op1("mmcv::MMCVRotatedFeatureAlign", {map, boxes},
                   attributes({{"spatial_scale", 0.5}, {"points", points}}));
  };
  EXPECT_TRUE(close(aligned(1), tensor<float>({1, 1, 2, 2}, {3, 4, 5, 6})));
  // Corners at x = 0.5 and 1.5, y = -0.5 and 0.5: 2.5 + 1.5 + 2 + 3 by clamping.
  EXPECT_TRUE(close(aligned(5), tensor<float>({1, 1, 2, 2}, {12, 13, 14, 15})));
  EXPECT_TRUE(
      fails(run_op("mmcv::MMCVRotatedFeatureAlign", {map, boxes}, attributes({{"spatial_scale", 0.5}, {"points", 2}})),
            ErrorCode::InvalidModel, "points"));
  EXPECT_TRUE(fails(run_op("mmcv::MMCVRotatedFeatureAlign", {map, map}, attributes({{"spatial_scale", 0.5}})),
                    ErrorCode::InvalidArgument, "boxes"));
}

}  // namespace
}  // namespace fovea::testing
