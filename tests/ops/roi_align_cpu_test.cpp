// SPDX-License-Identifier: Apache-2.0
// The separable RoiAlign against the reference: odd regions, both layouts, slices, elements that are not finite.
#include <cmath>
#include <limits>

#include "support/kernel_test.h"
#include "support/op_test.h"

namespace fovea::testing {
namespace {

/// Small, large, odd and outside regions of a map of 30 x 40.
Tensor regions(std::int64_t count, unsigned seed) {
  const Tensor at = random(DataType::f32, {count, 4}, -10, 45, seed);
  Tensor rois = Tensor::allocate(DataType::f32, {count, 5}).value();
  const float special[][4] = {{3, 3, 3, 3},           {9, 9, 2, 4},
                              {-1, -1, 40, 30},       {100, 100, 120, 130},
                              {0, 0, 1e30f, 4},       {0, 0, std::nanf(""), 4},
                              {-500, -500, 900, 900}, {0.5f, 0.5f, 39.5f, 29.5f}};
  for (std::int64_t r = 0; r < count; ++r) {
    float* const roi = rois.data<float>() + r * 5;
    roi[0] = static_cast<float>(r % 2);
    const float* const from = r % 3 == 0 && r / 3 < 8 ? special[r / 3] : at.data<float>() + r * 4;
    std::copy_n(from, 4, roi + 1);
    if (!(r % 3 == 0 && r / 3 < 8)) roi[3] = std::max(roi[3], roi[1]), roi[4] = std::max(roi[4], roi[2]);
  }
  return rois;
}

TEST(RoiAlignKernel, AgreesWithTheReference) {
  unsigned seed = 1;
  for (const std::int64_t channels : {5, 70}) {
    for (const int sampling : {0, 1, 2, 5}) {
      for (const int edge : {1, 7, 9}) {
        for (const Layout layout : {Layout::plain, Layout::nhwc}) {
          KernelCase test{.op = "mmcv::MMCVRoiAlign",
                          .attributes = attributes({{"mode", "avg"},
                                                    {"sampling_ratio", sampling},
                                                    {"output_height", edge},
                                                    {"output_width", edge == 9 ? 3 : edge},
                                                    {"aligned", sampling % 2}}),
                          .inputs = {random(DataType::f32, {2, channels, 30, 40}, -1, 1, ++seed), regions(30, seed)}};
          test.layout = layout;
          EXPECT_TRUE(agrees(test, "roi_align_separable"))
              << channels << " channels, sampling " << sampling << ", edge " << edge << ", layout "
              << static_cast<int>(layout);
          test.threads = 1;
          test.sliced_inputs = {0};
          EXPECT_TRUE(agrees(test, "roi_align_separable"));
        }
      }
    }
  }
}

TEST(RoiAlignKernel, InfiniteElementsStayWhereTheyAre) {
  Tensor map = random(DataType::f32, {1, 3, 30, 40});
  map.data<float>()[12 * 40 + 17] = std::numeric_limits<float>::infinity();
  map.data<float>()[30 * 40 + 5 * 40 + 6] = std::nanf("");
  Tensor rois = regions(20, 3);
  for (std::int64_t r = 0; r < 20; ++r) rois.data<float>()[r * 5] = 0;
  for (const Layout layout : {Layout::plain, Layout::nhwc}) {
    KernelCase test{.op = "mmcv::MMCVRoiAlign",
                    .attributes = attributes({{"mode", "avg"}, {"sampling_ratio", 2}}),
                    .inputs = {map, rois}};
    test.layout = layout;
    EXPECT_TRUE(agrees(test)) << static_cast<int>(layout);
  }
}

TEST(RoiAlignKernel, OnnxAndLevels) {
  KernelCase onnx{.op = "RoiAlign",
                  .attributes = attributes({{"output_height", 7}, {"output_width", 7}, {"spatial_scale", 0.5}}),
                  .inputs = {random(DataType::f32, {2, 6, 30, 40}), random(DataType::f32, {3, 4}, 0, 60),
                             tensor<std::int64_t>({3}, {1, 0, 1})}};
  EXPECT_TRUE(agrees(onnx));
  const std::vector<double> strides = {4, 8, 16};
  KernelCase levels{.op = "mmdeploy::MMCVMultiLevelRoiAlign",
                    .attributes = attributes({{"featmap_strides", strides}, {"pool_mode", 1}, {"finest_scale", 20}}),
                    .inputs = {random(DataType::f32, {9, 5}, 0, 1), random(DataType::f32, {1, 6, 30, 40}),
                               random(DataType::f32, {1, 6, 15, 20}), random(DataType::f32, {1, 6, 8, 10})}};
  for (std::int64_t r = 0; r < 9; ++r) {
    float* const roi = levels.inputs[0].data<float>() + r * 5;
    roi[0] = 0, roi[1] *= 30, roi[2] *= 30, roi[3] = roi[1] + 15 * static_cast<float>(r),
    roi[4] = roi[2] + 13 * static_cast<float>(r);
  }
  EXPECT_TRUE(agrees(levels));
  onnx.attributes.set("mode", std::string("max"));
  EXPECT_NE(refusal(onnx, "roi_align_separable").find("mean"), std::string::npos);
}

}  // namespace
}  // namespace fovea::testing
