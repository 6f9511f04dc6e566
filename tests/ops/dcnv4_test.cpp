// SPDX-License-Identifier: Apache-2.0
// DCNv4: test vectors computed by hand or with exact arithmetic, both forms, borders, NaN, what is refused.
#include <cmath>
#include <limits>

#include "support/op_test.h"

namespace fovea::testing {
namespace {

constexpr char kPlain[] = "custom_op::DCNv4_Plugin", kUnsliced[] = "custom_op::DCNv4FuseOffset_Plugin";

Attributes groups(int group, int channels, std::initializer_list<NamedAttribute> more = {}) {
  Attributes result = attributes(more);
  result.set("group", std::int64_t{group});
  result.set("group_channels", std::int64_t{channels});
  return result;
}

/// value [1,3,3,1] = 10 y + x + 1
Tensor grid() { return tensor<float>({1, 3, 3, 1}, {1, 2, 3, 11, 12, 13, 21, 22, 23}); }

/// Offsets of a 3 x 3 output of one group: `fill` sets the 27 numbers of a pixel, the padding must not matter.
template <class Fill>
Tensor offsets(Fill fill, std::int64_t padded = 32) {
  Tensor offset = Tensor::allocate(DataType::f32, {1, 3, 3, padded}).value();
  for (std::int64_t q = 0; q < 9; ++q) {
    float* const at = offset.data<float>() + q * padded;
    std::fill_n(at + 27, padded - 27, 1e4f);
    fill(at);
  }
  return offset;
}

TEST(Dcnv4, PointsCountColumnByColumn) {
  const Tensor offset = offsets([](float* at) {
    for (int k = 0; k < 9; ++k) at[18 + k] = static_cast<float>(k + 1);
  });
  EXPECT_TRUE(same(run_op1(kPlain, {grid(), offset}, groups(1, 1)), tensor<float>({1, 3, 3, 1}, {195, 258, 133, 493, 618, 307, 409, 486, 223})));
}

TEST(Dcnv4, OffsetsAreXThenY) {
  const Tensor offset = offsets([](float* at) { at[22] = 2, at[8] = 0.25f, at[9] = -0.5f; });
  EXPECT_TRUE(same(run_op1(kPlain, {grid(), offset}, groups(1, 1)), tensor<float>({1, 3, 3, 1}, {1.25, 2.25, 2.25, 12.5, 14.5, 12, 32.5, 34.5, 27})));
}

TEST(Dcnv4, ExactlyOneOutsideSamplesNothing) {
  const Tensor left = offsets([](float* at) { at[22] = 1, at[8] = -1; });
  EXPECT_TRUE(same(run_op1(kPlain, {grid(), left}, groups(1, 1)), tensor<float>({1, 3, 3, 1}, {0, 1, 2, 0, 11, 12, 0, 21, 22})));
  const Tensor below = offsets([](float* at) { at[22] = 1, at[9] = 1; });
  EXPECT_TRUE(same(run_op1(kPlain, {grid(), below}, groups(1, 1)), tensor<float>({1, 3, 3, 1}, {11, 12, 13, 21, 22, 23, 0, 0, 0})));
}

TEST(Dcnv4, NotFiniteCoordinatesSampleNothing) {
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(), -1e30f}) {
    const Tensor offset = offsets([&](float* at) { at[22] = 1, at[21] = 1, at[6] = bad; });
    const Tensor without = offsets([](float* at) { at[22] = 1; });
    EXPECT_TRUE(same(run_op1(kPlain, {grid(), offset}, groups(1, 1)), run_op1(kPlain, {grid(), without}, groups(1, 1))));
  }
}

TEST(Dcnv4, SoftmaxOfTheFactors) {
  // Points outside take part: at the corner 4 of 9 equal factors sample something.
  const Tensor offset = offsets([](float* at) { std::fill_n(at + 18, 9, 5.0f); });
  const Tensor y = run_op1(kPlain, {grid(), offset}, groups(1, 1, {{"softmax", 1}}));
  EXPECT_NEAR(element(y, 0), (1 + 2 + 11 + 12) / 9.0, 1e-6);
  EXPECT_NEAR(element(y, 4), 12, 1e-6);
}

// --- a general case: two groups, generated numbers

struct General {
  std::int64_t batch = 1, oh = 3, ow = 4, points = 9, padded = 56;
  Attributes attributes;
};

Tensor general_value(std::int64_t batch) {
  Tensor value = Tensor::allocate(DataType::f32, {batch, 3, 4, 4}).value();
  float* at = value.data<float>();
  for (int b = 0; b < batch; ++b) {
    for (int y = 0; y < 3; ++y) {
      for (int x = 0; x < 4; ++x) {
        for (int c = 0; c < 4; ++c) *at++ = static_cast<float>((7 * y + 3 * x + 5 * c + 2 * b) % 11) / 4 - 1;
      }
    }
  }
  return value;
}

Tensor general_offset(const General& test) {
  Tensor offset = Tensor::allocate(DataType::f32, {test.batch, test.oh, test.ow, test.padded}).value();
  float* at = offset.data<float>();
  for (std::int64_t b = 0; b < test.batch; ++b) {
    for (std::int64_t q = 0; q < test.oh * test.ow; ++q) {
      for (std::int64_t t = 0; t < test.padded; ++t) *at++ = t < 6 * test.points ? static_cast<float>((5 * q + 3 * t + b) % 17) / 16 - 0.5f : 1e4f;
    }
  }
  return offset;
}

Tensor general(const General& test) { return run_op1(kPlain, {general_value(test.batch), general_offset(test)}, test.attributes); }

void expect_pixel(const Tensor& y, std::int64_t pixel, std::initializer_list<double> expected) {
  std::int64_t c = 0;
  for (const double v : expected) {
    EXPECT_NEAR(element(y, pixel * 4 + c), v, 1e-6) << "channel " << c << " of pixel " << pixel;
    ++c;
  }
}

double sum_of(const Tensor& y) {
  double sum = 0;
  for (std::int64_t i = 0; i < y.elements(); ++i) sum += element(y, i);
  return sum;
}

TEST(Dcnv4, GeneralCaseExactly) {
  const Tensor expected = tensor<float>(
      {1, 3, 4, 4},
      {-0.4835205078125, 0.064697265625,   0.29833984375,    -0.3935546875,    -0.037841796875,  -0.0445556640625, -0.18701171875,  0.24163818359375,
       -0.784423828125,  0.0687255859375,  0.440185546875,   0.069580078125,   0.1927490234375,  0.4222412109375,  0.0462646484375, 0.0316162109375,
       -0.363525390625,  0.1116943359375,  -0.05517578125,   -0.61767578125,   -0.4146728515625, -0.2276611328125, -0.1279296875,   0.333740234375,
       -0.0325927734375, -0.0155029296875, 0.48077392578125, -0.1231689453125, 0.2896728515625,  0.2861328125,     -0.4559326171875, -0.020751953125,
       0.1585693359375,  0.0836181640625,  0.28582763671875, -0.49798583984375, -0.1900634765625, 0.21435546875,   -0.6480712890625, 0.158935546875,
       0.290771484375,   -0.322265625,     0.560791015625,   -0.06494140625,   0.26611328125,    0.56787109375,    -0.519775390625, 0.0802001953125});
  EXPECT_TRUE(same(general({.attributes = groups(2, 2)}), expected));
}

TEST(Dcnv4, WithoutTheCentre) {
  const Tensor y = general({.points = 8, .padded = 48, .attributes = groups(2, 2, {{"remove_center", 1}})});
  EXPECT_NEAR(sum_of(y), -1.3895263671875, 1e-5);
  expect_pixel(y, 0, {-.7528076171875, .35205078125, -.03564453125, -.332275390625});
  expect_pixel(y, 11, {.0009765625, .193115234375, .1273193359375, .176025390625});
}

TEST(Dcnv4, Strides) {
  const Tensor y = general({.oh = 2, .ow = 2, .attributes = groups(2, 2, {{"sh", 2}, {"sw", 2}})});
  EXPECT_NEAR(sum_of(y), 1.69879150390625, 1e-5);
  expect_pixel(y, 0, {-0.4835205078125, 0.064697265625, 0.29833984375, -0.3935546875});
  expect_pixel(y, 3, {.13299560546875, -.33624267578125, .1734619140625, -.01025390625});
}

TEST(Dcnv4, ScaleStretchesTheGrid) {
  const Tensor half = general({.attributes = groups(2, 2, {{"offscale", 0.5}})});
  EXPECT_NEAR(sum_of(half), -1.0299530029296875, 1e-5);
  expect_pixel(half, 0, {-.449371337890625, .2103271484375, .3446044921875, -.30157470703125});
  expect_pixel(half, 11, {-.07330322265625, .45013427734375, -.2596435546875, .015655517578125});
  const Tensor twice = general({.attributes = groups(2, 2, {{"offscale", 2.0}})});
  EXPECT_NEAR(sum_of(twice), 0.112548828125, 1e-5);
  expect_pixel(twice, 0, {-.21533203125, .185546875, .013671875, -.134765625});
  expect_pixel(twice, 11, {.5947265625, -.3671875, -.3857421875, .06396484375});
}

TEST(Dcnv4, DilationWithScale) {
  const Tensor y = general({.attributes = groups(2, 2, {{"offscale", 0.5}, {"dh", 2}, {"dw", 2}, {"ph", 2}, {"pw", 2}})});
  EXPECT_NEAR(sum_of(y), -2.1839599609375, 1e-5);
  expect_pixel(y, 0, {-.535919189453125, .18511962890625, .3524169921875, -.48828125});
  expect_pixel(y, 11, {.4735107421875, .5093994140625, -.45123291015625, .176544189453125});
}

TEST(Dcnv4, EachImageSamplesItself) {
  const Tensor y = general({.batch = 2, .attributes = groups(2, 2)});
  EXPECT_NEAR(sum_of(y), -1.03936767578125, 1e-5);
  expect_pixel(y, 12, {-.1064453125, .24505615234375, .1485595703125, -.1754150390625});
  expect_pixel(y, 23, {-.351806640625, .113037109375, -.0516357421875, .056884765625});
}

TEST(Dcnv4, HalfStorageRoundsOnce) {
  for (const DataType type : {DataType::f16, DataType::bf16}) {
    const Tensor value = random(type, {1, 5, 5, 6}), offset = random(type, {1, 5, 5, 81}, -1.5, 1.5, 2);
    const auto widen = [](const Tensor& t) { return run_op1("Cast", {t}, attributes({{"to", 1}})); };
    const Tensor wide = run_op1(kPlain, {widen(value), widen(offset)}, groups(3, 2));
    EXPECT_TRUE(same(run_op1(kPlain, {value, offset}, groups(3, 2)), run_op1("Cast", {wide}, attributes({{"to", type == DataType::f16 ? 10 : 16}}))));
  }
}

TEST(Dcnv4, UnslicedReadsBothFromOneTensor) {
  for (const std::int64_t batch : {1, 2}) {
    const General test{.batch = batch, .attributes = groups(2, 2)};
    const Tensor both = run_op1("Concat", {general_value(batch), general_offset(test)}, attributes({{"axis", 3}}));
    EXPECT_TRUE(same(run_op1(kUnsliced, {both}, test.attributes), general(test)));
  }
}

TEST(Dcnv4, ShapesWithSymbols) {
  const auto value = symbolic(DataType::f16, "NxHxWx64"), offset = symbolic(DataType::f16, "NxHxWx112");
  EXPECT_EQ(infer_text(kPlain, {value, offset}, groups(4, 16)), "f16 NxHxWx64");
  EXPECT_EQ(infer_text(kPlain, {value, symbolic(DataType::f16, "?")}, groups(4, 16, {{"sh", 2}, {"sw", 2}})), "f16 Nx(floordiv(H+1,2))x(floordiv(W+1,2))x64");
  EXPECT_EQ(infer_text(kUnsliced, {symbolic(DataType::f32, "NxHxWx176")}, groups(4, 16)), "f32 NxHxWx64");
}

TEST(Dcnv4, RefusesWhatMakesNoSense) {
  const auto refused = [&](const Shape& value, const Shape& offset, const Attributes& given, const char* phrase, ErrorCode code = ErrorCode::InvalidArgument) {
    return fails(run_op(kPlain, {random(DataType::f32, value), random(DataType::f32, offset)}, given), code, phrase);
  };
  const Shape value{1, 3, 4, 4}, offset{1, 3, 4, 56};
  EXPECT_TRUE(refused(value, offset, groups(2, 3), "value: expected 6 channels (group 2 x group_channels 3), found 4"));
  EXPECT_TRUE(refused(value, {1, 3, 4, 53}, groups(2, 2), "offset: expected at least 54 channels"));
  EXPECT_TRUE(refused(value, {1, 4, 3, 56}, groups(2, 2), "offset: expected 1x3x4x56"));
  EXPECT_TRUE(refused(value, {2, 3, 4, 56}, groups(2, 2), "offset: expected 1x3x4x56"));
  EXPECT_TRUE(refused(value, {3, 4, 56}, groups(2, 2), "offset: expected rank 4"));
  EXPECT_TRUE(refused({1, 3, 0, 4}, {1, 3, 0, 56}, groups(2, 2), "width: expected 1.."));
  EXPECT_TRUE(refused(value, offset, groups(2, 2, {{"dh", 9}}), "kernel 3 with dilation 9 does not fit into 3 elements"));
  const auto nonsense = [&](std::initializer_list<NamedAttribute> more, const char* phrase) {
    return refused(value, offset, groups(2, 2, more), phrase, ErrorCode::InvalidModel);
  };
  EXPECT_TRUE(nonsense({{"kh", 0}}, "kh: expected a number in 1.."));
  EXPECT_TRUE(nonsense({{"kw", 65}}, "kw: expected a number in 1..64"));
  EXPECT_TRUE(nonsense({{"sw", 0}}, "sw: expected a number in 1.."));
  EXPECT_TRUE(nonsense({{"ph", -1}}, "ph: expected a number in 0.."));
  EXPECT_TRUE(nonsense({{"dw", std::int64_t{1} << 40}}, "dw: expected a number in 1.."));
  EXPECT_TRUE(nonsense({{"remove_center", 2}}, "remove_center: expected a number in 0..1"));
  EXPECT_TRUE(nonsense({{"softmax", -1}}, "softmax: expected a number in 0..1"));
  EXPECT_TRUE(nonsense({{"offscale", 1e300}}, "offscale: expected a finite number"));
  EXPECT_TRUE(nonsense({{"kh", 1}, {"kw", 1}, {"ph", 0}, {"pw", 0}, {"remove_center", 1}}, "no points beside its centre"));
  EXPECT_TRUE(refused(value, offset, attributes({{"group", 2}}), "group_channels", ErrorCode::InvalidModel));
  EXPECT_TRUE(fails(run_op(kPlain, {random(DataType::f32, value), random(DataType::f16, offset)}, groups(2, 2)), ErrorCode::InvalidArgument, "like value"));
}

TEST(Dcnv4, UnslicedKeepsTheSize) {
  const Tensor both = random(DataType::f32, {1, 4, 4, 60});
  EXPECT_TRUE(fails(run_op(kUnsliced, {both}, groups(2, 2, {{"sh", 2}})), ErrorCode::InvalidArgument, "an output of the input's size 4x4"));
  EXPECT_TRUE(fails(run_op(kUnsliced, {both}, groups(2, 4)), ErrorCode::InvalidArgument, "input: expected at least 62 channels (8 of the value"));
}

TEST(Dcnv4, ContradictionsAreFoundWithoutRunning) {
  const auto inferred = [](const char* op, std::vector<FakeInferContext::Value> inputs, const Attributes& given) {
    FakeInferContext context(op, given, std::move(inputs), 1);
    return context.infer();
  };
  const auto value = symbolic(DataType::f32, "NxHxWx64");
  EXPECT_TRUE(fails(inferred(kPlain, {value, symbolic(DataType::f32, "NxHxWx107")}, groups(4, 16)), ErrorCode::InvalidModel, "offset: channels: expected at least 108"));
  EXPECT_TRUE(fails(inferred(kPlain, {value, symbolic(DataType::f32, "?")}, groups(4, 8)), ErrorCode::InvalidModel, "expected 32, found 64"));
  EXPECT_TRUE(fails(inferred(kPlain, {symbolic(DataType::f32, "Nx8xWx64"), symbolic(DataType::f32, "Nx7xWx112")}, groups(4, 16)), ErrorCode::InvalidModel, "offset: height: expected 8, found 7"));
  EXPECT_TRUE(fails(inferred(kPlain, {value, symbolic(DataType::f16, "?")}, groups(4, 16)), ErrorCode::InvalidModel, "like value"));
  EXPECT_TRUE(fails(inferred(kUnsliced, {symbolic(DataType::f32, "NxHxWx176")}, groups(4, 16, {{"ph", 0}})), ErrorCode::InvalidModel, "keeps the input's size"));
}

}  // namespace
}  // namespace fovea::testing
