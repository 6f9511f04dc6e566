// SPDX-License-Identifier: Apache-2.0
// The tuned GridSample against the reference: all modes, paddings, layouts and numbers of axes, ties, and numbers that are
// none.
#include <hwy/targets.h>

#include <cmath>
#include <limits>

#include "support/kernel_test.h"

namespace fovea {
namespace {

using namespace testing;


struct GridCase {
  const char* why;
  Shape x, grid;
};

/// Calls check(attributes, text) for all combinations of attributes.
template <class Check>
void for_all_modes(const Check& check) {
  for (const char* mode : {"linear", "nearest", "cubic"}) {
    for (const char* padding : {"zeros", "border", "reflection"}) {
      for (const int align : {0, 1}) {
        check(attributes({{"mode", mode}, {"padding_mode", padding}, {"align_corners", align}}), str_cat(mode, " ", padding, " align_corners=", align));
      }
    }
  }
}

TEST(GridSampleCpu, AllModesLayoutsAndAxes) {
  const GridCase cases[] = {
      {"few points", {2, 7, 9, 11}, {2, 5, 6, 2}},
      {"more points than pixels, odd channels", {2, 19, 5, 7}, {2, 13, 11, 2}},
      {"whole vectors of channels", {1, 32, 6, 6}, {1, 9, 9, 2}},
      {"a picture", {1, 3, 20, 30}, {1, 17, 23, 2}},
      {"one channel", {1, 1, 6, 5}, {1, 4, 40, 2}},
      {"one axis", {2, 9, 13}, {2, 70, 1}},
      {"three axes, few points", {1, 5, 4, 5, 6}, {1, 2, 3, 4, 3}},
      {"three axes, many points", {2, 17, 3, 4, 5}, {2, 3, 5, 7, 3}},
      {"extents of 1", {1, 8, 1, 5}, {1, 6, 3, 2}},
      {"planes beyond the first cache", {1, 18, 90, 100}, {1, 50, 50, 2}},
  };
  for (const GridCase& c : cases) {
    for_all_modes([&](const Attributes& attributes, const std::string& text) {
      for (Layout layout : {Layout::nhwc, Layout::plain}) {
        KernelCase test{.op = "GridSample", .attributes = attributes};
        test.inputs = {random(DataType::f32, c.x), random(DataType::f32, c.grid, -1.5, 1.5, 2)};
        test.layout = layout;
        test.input_layouts = {layout, Layout::plain};
        EXPECT_TRUE(agrees(test)) << c.why << ": " << text << " " << name(layout);
        if (test.inputs[0].elements() > 20000) continue;  // the rest is independent of the size
        test.sliced_inputs = {0};
        test.sliced_output = true;
        EXPECT_TRUE(agrees(test)) << c.why << ": " << text << " " << name(layout) << " sliced";
        test.input_layouts = {layout, layout};
        EXPECT_TRUE(agrees(test)) << c.why << ": " << text << " " << name(layout) << " grid too";
      }
    });
  }
}

/// Coordinates of element centres and borders, of the places between, and far beyond. Under align_corners and an extent of
/// 2^k + 1 they are ties of nearest.
Tensor special_grid(const Shape& shape) {
  Tensor grid = Tensor::allocate(DataType::f32, shape).value();
  const double special[] = {-1, 1, 0, 0.25, -0.25, 0.125, -0.875, 0.5, -1.25, 1.25, -2, 2, 3, -3.5, 7.75, -9.125, 33, -129.5, 1e4, kNaN, kInf, -kInf, 1e30, -1e30, 4e6, -4e6};
  for (std::int64_t i = 0; i < grid.elements(); ++i) grid.data<float>()[i] = static_cast<float>(special[(i * 7 + i / 26) % 26]);
  return grid;
}

TEST(GridSampleCpu, TiesBordersAndNumbersThatAreNone) {
  for (const Shape& x : {Shape{1, 16, 9, 5}, Shape{1, 3, 8, 17}, Shape{1, 16, 4, 8}, Shape{1, 2, 3, 1}, Shape{1, 9, 65, 129}}) {
    for_all_modes([&](const Attributes& attributes, const std::string& text) {
      for (Layout layout : {Layout::nhwc, Layout::plain}) {
        if (layout == Layout::nhwc && x[2] > 60) continue;  // made for the way of large planes
        KernelCase test{.op = "GridSample", .attributes = attributes};
        test.inputs = {random(DataType::f32, x), special_grid({1, x[2] > 60 ? 104 : 26, 27, 2})};
        test.layout = layout;
        test.input_layouts = {layout, Layout::plain};
        EXPECT_TRUE(agrees(test)) << text << " " << name(layout) << " " << x.to_string();
      }
    });
  }
}

TEST(GridSampleCpu, NeighboursOfWeightZeroDoNotCount) {
  for (Layout layout : {Layout::nhwc, Layout::plain}) {
    for (const std::int64_t points : {1, 90}) {
      KernelCase test{.op = "GridSample", .attributes = attributes({{"align_corners", 1}})};
      Tensor x = random(DataType::f32, {1, 20, 5, 5}), grid = Tensor::allocate(DataType::f32, {1, points, 1, 2}).value();
      for (std::int64_t c = 0; c < 20; ++c) x.data<float>()[c * 25] = x.data<float>()[c * 25 + 13] = static_cast<float>(kInf);
      for (std::int64_t i = 0; i < grid.elements(); ++i) grid.data<float>()[i] = i % 4 == 3 ? 9.0f : 0.0f;  // element (2, 2), and outside
      test.inputs = {x, grid};
      test.layout = layout;
      test.input_layouts = {layout, Layout::plain};
      EXPECT_TRUE(agrees(test)) << name(layout) << " " << points;
    }
  }
}

/// Ordinary points in turns with ties, borders, far points and numbers that are none.
Tensor mixed_grid(std::int64_t batch, std::int64_t points) {
  const Tensor special = special_grid({batch, points, 1, 2});
  Tensor grid = random(DataType::f32, {batch, points, 1, 2}, -1.4, 1.4, 2);
  for (std::int64_t i = 0; i < grid.elements(); ++i) {
    if (i / 90 % 3 == 1) grid.data<float>()[i] = special.data<float>()[i];
  }
  return grid;
}

TEST(GridSampleCpu, FewChannelsOfOddPictures) {
  for (const Shape& x : {Shape{1, 1, 9, 17}, Shape{2, 2, 5, 33}, Shape{1, 3, 65, 129}, Shape{1, 5, 2, 3}, Shape{1, 3, 1, 7}, Shape{1, 2, 7, 1}, Shape{1, 8, 11, 13}}) {
    for_all_modes([&](const Attributes& attributes, const std::string& text) {
      for (const std::int64_t points : {7, 64, 1111}) {
        KernelCase test{.op = "GridSample", .attributes = attributes};
        test.inputs = {random(DataType::f32, x), mixed_grid(x[0], points)};
        test.layout = Layout::plain;
        test.input_layouts = {Layout::plain, Layout::plain};
        EXPECT_TRUE(agrees(test)) << text << " " << x.to_string() << " at " << points;
        test.sliced_inputs = {0};
        test.sliced_output = true;
        EXPECT_TRUE(agrees(test)) << text << " " << x.to_string() << " at " << points << " sliced";
      }
    });
  }
}

/// What the kernel makes of a picture at the given points.
Tensor sampled(const Attributes& attributes, const Tensor& x, const TensorDesc& grid, const void* points, int threads) {
  const Shape shape{x.dim(0), x.dim(1), grid.shape[1], grid.shape[2]};
  const std::vector<TensorDesc> inputs = {TensorDesc::dense(DataType::f32, x.shape()), grid};
  const std::vector<TensorDesc> outputs = {TensorDesc::dense(DataType::f32, shape)};
  auto prepared = find_kernel("cpu", "GridSample", "grid_sample_points")->prepare({"GridSample", attributes, inputs, outputs, {}, threads}).value();
  std::vector<std::byte> scratch(prepared->scratch_bytes() + 64);
  Tensor y = Tensor::allocate(DataType::f32, shape).value();
  const void* in[] = {x.raw(), points};
  void* out = y.raw();
  void* aligned = scratch.data() + (64 - reinterpret_cast<std::uintptr_t>(scratch.data()) % 64) % 64;
  EXPECT_TRUE(prepared->run({in, &out, aligned}).ok());
  return y;
}

// A grid with gaps is read point by point and goes the way of planes, block by block.
TEST(GridSampleCpu, FewChannelsHaveTheBitsOfPlanes) {
  constexpr std::int64_t kPoints = 5003;
  const Tensor x = random(DataType::f32, {1, 3, 65, 129}), grid = mixed_grid(1, kPoints);
  std::vector<float> gaps(2 * static_cast<std::size_t>(grid.elements()));
  for (std::int64_t i = 0; i < grid.elements(); ++i) gaps[static_cast<std::size_t>(2 * i)] = grid.data<float>()[i];
  const TensorDesc packed = TensorDesc::dense(DataType::f32, grid.shape());
  TensorDesc gapped = packed;
  for (int axis = 0; axis < 4; ++axis) gapped.strides[axis] *= 2;
  for_all_modes([&](const Attributes& attributes, const std::string& text) {
    const Tensor expected = sampled(attributes, x, gapped, gaps.data(), 1);
    for (const int threads : {1, 2, 3}) {
      EXPECT_TRUE(same(sampled(attributes, x, packed, grid.raw(), threads), expected)) << text << " " << threads << " threads";
    }
  });
}

TEST(GridSampleCpu, EveryInstructionSetAgrees) {
  for (const std::int64_t target : hwy::SupportedAndGeneratedTargets()) {
    hwy::SetSupportedTargetsForTest(target);
    hwy::GetChosenTarget().Update(hwy::SupportedTargets());
    for (const Shape& x : {Shape{1, 3, 9, 17}, Shape{1, 12, 9, 17}}) {
      for_all_modes([&](const Attributes& attributes, const std::string& text) {
        KernelCase test{.op = "GridSample", .attributes = attributes};
        test.inputs = {random(DataType::f32, x), mixed_grid(1, 555)};
        test.layout = Layout::plain;
        test.input_layouts = {Layout::plain, Layout::plain};
        EXPECT_TRUE(agrees(test)) << hwy::TargetName(target) << " " << text << " " << x.to_string();
      });
    }
  }
  hwy::SetSupportedTargetsForTest(0);
  hwy::GetChosenTarget().Update(hwy::SupportedTargets());
}

TEST(GridSampleCpu, PicturesBeyondTheIndexAreRefused) {
  const Attributes none;
  const std::vector<TensorDesc> outputs = {TensorDesc::dense(DataType::f32, {1, 3, 4, 4})};
  for (const std::int64_t row : {std::int64_t{1} << 20, std::int64_t{1} << 30, std::int64_t{1} << 32}) {
    std::vector<TensorDesc> inputs = {TensorDesc::dense(DataType::f32, {1, 3, 9, 5}), TensorDesc::dense(DataType::f32, {1, 4, 4, 2})};
    inputs[0].strides[2] = row;
    inputs[0].strides[1] = inputs[0].strides[0] = 9 * row;
    const Status can_run = find_kernel("cpu", "GridSample", "grid_sample_points")->can_run({"GridSample", none, inputs, outputs, {}, 1});
    EXPECT_EQ(can_run.ok(), row < 1 << 28) << row << ": " << can_run.message();
  }
}

TEST(GridSampleCpu, ThreadsDoNotChangeTheNumbers) {
  for (const Shape& x : {Shape{3, 20, 7, 9}, Shape{1, 5, 40, 41}}) {
    const Tensor picture = random(DataType::f32, x), grid = random(DataType::f32, {x[0], 19, 21, 2}, -1.2, 1.2, 2);
    const TensorDesc points = TensorDesc::dense(DataType::f32, grid.shape());
    const Tensor expected = sampled({}, picture, points, grid.raw(), 1);
    for (const int threads : {2, 3}) EXPECT_TRUE(same(sampled({}, picture, points, grid.raw(), threads), expected)) << threads << " threads";
  }
}

}  // namespace
}  // namespace fovea
