// SPDX-License-Identifier: Apache-2.0
// Resize, AffineGrid, DepthToSpace, SpaceToDepth: ties, types, symbols, and inputs that make no sense. The coordinate
// modes themselves are covered by the ONNX test data.
#include <limits>

#include "ops/resize/resize_params.h"
#include "support/op_test.h"

namespace fovea::testing {
namespace {

using Ints = std::vector<std::int64_t>;

const Tensor kResizeRow = tensor<float>({1, 4}, {1, 2, 3, 4});
Datum scales(std::initializer_list<double> values) { return tensor<float>({static_cast<std::int64_t>(values.size())}, values); }

TEST(Resize, NearestTiesFollowTheMode) {
  // 4 -> 2 with half_pixel: coordinates 0.5 and 2.5.
  const auto run = [](const char* mode) { return run_op1("Resize", {kResizeRow, {}, scales({1, 0.5})}, attributes({{"nearest_mode", mode}})); };
  EXPECT_TRUE(same(run("round_prefer_floor"), tensor<float>({1, 2}, {1, 3})));
  EXPECT_TRUE(same(run("round_prefer_ceil"), tensor<float>({1, 2}, {2, 4})));
  EXPECT_TRUE(same(run("floor"), tensor<float>({1, 2}, {1, 3})));
  EXPECT_TRUE(same(run("ceil"), tensor<float>({1, 2}, {2, 4})));
}

TEST(Resize, NearestFloorIsExactForEveryRatioOfExtents) {
  // With asymmetric coordinates output o takes floor(o * input / output); rounding must not lose the whole numbers.
  for (std::int64_t input = 1; input <= 40; ++input) {
    Tensor x = Tensor::allocate(DataType::i64, {input}).value();
    for (std::int64_t i = 0; i < input; ++i) x.data<std::int64_t>()[i] = i;
    for (std::int64_t output = 1; output <= 80; ++output) {
      const Tensor y = run_op1("Resize", {x, {}, {}, ints({output})},
                               attributes({{"coordinate_transformation_mode", "asymmetric"}, {"nearest_mode", "floor"}}));
      for (std::int64_t o = 0; o < output; ++o) ASSERT_EQ(y.data<std::int64_t>()[o], o * input / output) << input << " -> " << output;
    }
  }
}

TEST(Resize, NearestFindsTheWholeNumberMeantByAnInexactScale) {
  const Tensor x = tensor<float>({9}, {0, 1, 2, 3, 4, 5, 6, 7, 8});
  EXPECT_TRUE(same(run_op1("Resize", {x, {}, scales({0.33333334})}, attributes({{"coordinate_transformation_mode", "asymmetric"}, {"nearest_mode", "floor"}})),
                   tensor<float>({3}, {0, 3, 6})));
}

TEST(Resize, MovesAnyType) {
  EXPECT_TRUE(same(run_op1("Resize", {strings({2}, {"a", "b"}), {}, scales({2})}), strings({4}, {"a", "a", "b", "b"})));
  EXPECT_TRUE(same(run_op1("Resize", {tensor<bool>({2}, {1, 0}), {}, {}, ints({4})}), tensor<bool>({4}, {1, 1, 0, 0})));
  const std::int64_t large = std::numeric_limits<std::int64_t>::max() - 1;
  EXPECT_TRUE(same(run_op1("Resize", {tensor<std::int64_t>({1}, {large}), {}, {}, ints({2})}), tensor<std::int64_t>({2}, {large, large})));
  EXPECT_TRUE(fails(run_op("Resize", {tensor<bool>({2}, {1, 0}), {}, {}, ints({4})}, attributes({{"mode", "linear"}})), ErrorCode::Unsupported, "bool"));
}

TEST(Resize, IntegersRoundHalfToEvenAndSaturate) {
  EXPECT_TRUE(same(run_op1("Resize", {tensor<std::uint8_t>({2}, {1, 2}), {}, {}, ints({3})},
                           attributes({{"mode", "linear"}, {"coordinate_transformation_mode", "align_corners"}})),
                   tensor<std::uint8_t>({3}, {1, 2, 2})));
  EXPECT_TRUE(same(run_op1("Resize", {tensor<std::uint8_t>({4}, {0, 255, 255, 0}), {}, {}, ints({7})},
                           attributes({{"mode", "cubic"}, {"coordinate_transformation_mode", "align_corners"}})),
                   tensor<std::uint8_t>({7}, {0, 128, 255, 255, 255, 128, 0})));
}

TEST(Resize, UntouchedAxesKeepNaNApart) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const Tensor y = run_op1("Resize", {tensor<float>({2, 2}, {nan, 1, 2, 3}), {}, scales({1, 2})}, attributes({{"mode", "linear"}}));
  EXPECT_TRUE(close(y, tensor<float>({2, 4}, {nan, nan, nan, 1, 2, 2.25, 2.75, 3})));
}

TEST(Resize, EmptyTensorsCountAsMissing) {
  const Tensor none = tensor<float>({0}, {});
  EXPECT_TRUE(same(run_op1("Resize", {kResizeRow, none, none, ints({1, 2})}), tensor<float>({1, 2}, {1, 3})));
}

TEST(Resize, AspectRatioPolicies) {
  const Tensor x = random(DataType::f32, {1, 1, 4, 8});
  const auto shape = [&](const char* policy) {
    return run_op1("Resize", {x, {}, {}, ints({6, 6})}, attributes({{"axes", Ints{2, 3}}, {"keep_aspect_ratio_policy", policy}})).shape().to_string();
  };
  EXPECT_EQ(shape("stretch"), "1x1x6x6");
  EXPECT_EQ(shape("not_larger"), "1x1x3x6");
  EXPECT_EQ(shape("not_smaller"), "1x1x6x12");
}

TEST(Resize, SymbolicShapes) {
  const auto x = symbolic(DataType::f32, "Nx3xHxW");
  const auto missing = FakeInferContext::missing();
  const auto factors = FakeInferContext::constant(tensor<float>({4}, {1, 1, 2, 2}));
  EXPECT_EQ(infer_text("Resize", {x, missing, factors}), "f32 Nx3x(2*H)x(2*W)");
  EXPECT_EQ(infer_text("Resize", {x, missing, missing, FakeInferContext::dims({"N", "3", "2*H", "7"})}), "f32 Nx3x(2*H)x7");
  EXPECT_EQ(infer_text("Resize", {x, missing, missing, FakeInferContext::dims({"7", "H"})}, attributes({{"axes", Ints{3, 2}}})), "f32 Nx3xHx7");
}

TEST(Resize, RefusesNonsense) {
  const auto refused = [](Datum factors, Attributes attributes, const char* phrase, ErrorCode code = ErrorCode::InvalidArgument) {
    return fails(run_op("Resize", {kResizeRow, {}, std::move(factors)}, attributes), code, phrase);
  };
  EXPECT_TRUE(refused(scales({1, 0}), {}, "above 0"));
  EXPECT_TRUE(refused(scales({1, -2}), {}, "above 0"));
  EXPECT_TRUE(refused(scales({1}), {}, "expected 2 numbers"));
  EXPECT_TRUE(refused(scales({1, std::numeric_limits<double>::quiet_NaN()}), {}, "scales"));
  EXPECT_TRUE(refused(scales({1, 1}), attributes({{"axes", Ints{0, 2}}}), "axis 2"));
  EXPECT_TRUE(refused(scales({1, 1}), attributes({{"antialias", 1}}), "antialias", ErrorCode::InvalidModel));
  EXPECT_TRUE(refused(scales({1, 1}), attributes({{"coordinate_transformation_mode", "tf_crop_and_resize"}}), "roi"));
  EXPECT_TRUE(refused({}, {}, "either scales or sizes"));
  EXPECT_TRUE(fails(run_op("Resize", {kResizeRow, {}, {}, ints({1, -1})}), ErrorCode::InvalidArgument, "-1"));
  EXPECT_FALSE(run_op("Resize", {kResizeRow, {}, {}, ints({1 << 30, 1 << 30})}).ok());
}

TEST(ResizeTaps, WeightsSumToOneAndStayInside) {
  for (const char* mode : {"linear", "cubic"}) {
    for (const int antialias : {0, 1}) {
      for (const char* coordinates : {"half_pixel", "half_pixel_symmetric", "align_corners", "asymmetric"}) {
        const auto params = ops::ResizeParams::parse(
            attributes({{"mode", mode}, {"antialias", antialias}, {"coordinate_transformation_mode", coordinates}}), 1).value();
        for (const double scale : {0.1, 0.37, 0.5, 1.0, 1.7, 3.0}) {
          const auto axis = ops::ResizeAxis::from_scale(23, scale).value();
          const auto taps = ops::make_resize_taps(params, axis).value();
          EXPECT_EQ(taps.identity, scale == 1.0);
          for (std::size_t o = 0; o + 1 < taps.first.size(); ++o) {
            double sum = 0;
            for (auto t = static_cast<std::size_t>(taps.first[o]); t < static_cast<std::size_t>(taps.first[o + 1]); ++t) {
              sum += taps.weight[t];
              EXPECT_TRUE(taps.index[t] >= 0 && taps.index[t] < 23);
            }
            EXPECT_NEAR(sum, 1, 1e-12);
          }
        }
      }
    }
  }
}

TEST(DepthSpace, BothOrdersAndBack) {
  Tensor x = Tensor::allocate(DataType::i32, {1, 8, 1, 2}).value();
  for (int i = 0; i < 16; ++i) x.data<std::int32_t>()[i] = i;
  const Tensor dcr = run_op1("DepthToSpace", {x}, attributes({{"blocksize", 2}}));
  EXPECT_TRUE(same(dcr, tensor<std::int32_t>({1, 2, 2, 4}, {0, 4, 1, 5, 8, 12, 9, 13, 2, 6, 3, 7, 10, 14, 11, 15})));
  const Tensor crd = run_op1("DepthToSpace", {x}, attributes({{"blocksize", 2}, {"mode", "CRD"}}));
  EXPECT_TRUE(same(crd, tensor<std::int32_t>({1, 2, 2, 4}, {0, 2, 1, 3, 4, 6, 5, 7, 8, 10, 9, 11, 12, 14, 13, 15})));
  EXPECT_TRUE(same(run_op1("SpaceToDepth", {dcr}, attributes({{"blocksize", 2}})), x));
  EXPECT_EQ(infer_text("DepthToSpace", {symbolic(DataType::f32, "Nx12xHxW")}, attributes({{"blocksize", 2}})), "f32 Nx3x(2*H)x(2*W)");
  EXPECT_TRUE(fails(run_op("DepthToSpace", {x}, attributes({{"blocksize", 3}})), ErrorCode::InvalidArgument, "blocksize"));
  EXPECT_TRUE(fails(run_op("SpaceToDepth", {x}, attributes({{"blocksize", 0}})), ErrorCode::InvalidModel, "blocksize"));
}

TEST(AffineGrid, IdentityAndSingleElements) {
  const Tensor theta = tensor<float>({1, 2, 3}, {1, 0, 0, 0, 1, 0});
  EXPECT_TRUE(close(run_op1("AffineGrid", {theta, ints({1, 1, 1, 2})}), tensor<float>({1, 1, 2, 2}, {-0.5, 0, 0.5, 0})));
  EXPECT_TRUE(close(run_op1("AffineGrid", {theta, ints({1, 1, 1, 2})}, attributes({{"align_corners", 1}})), tensor<float>({1, 1, 2, 2}, {-1, 0, 1, 0})));
  EXPECT_TRUE(fails(run_op("AffineGrid", {theta, ints({2, 1, 1, 2})}), ErrorCode::InvalidArgument, "theta"));
  EXPECT_TRUE(fails(run_op("AffineGrid", {theta, ints({1, 1, 1, -2})}), ErrorCode::InvalidArgument, "negative"));
}

}  // namespace
}  // namespace fovea::testing
