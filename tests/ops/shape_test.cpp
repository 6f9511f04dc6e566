// SPDX-License-Identifier: Apache-2.0
// The shape family: exact extents of symbolic shapes, and the corners of what the operators do with data.
#include <limits>

#include "support/op_test.h"

namespace fovea::testing {
namespace {

using Fake = FakeInferContext;
constexpr std::int64_t kMin = std::numeric_limits<std::int64_t>::min(), kMax = std::numeric_limits<std::int64_t>::max();

Fake::Value list(std::initializer_list<std::int64_t> values) { return Fake::constant(ints(values)); }

TEST(Reshape, InfersSymbolicExtents) {
  struct Case {
    const char* input;
    Fake::Value target;
    const char* expected;
  };
  const Case cases[] = {{"NxCxHxW", list({0, -1}), "f32 Nx(C*H*W)"},
                        {"Nx64xHxW", list({0, 8, 8, -1}), "f32 Nx8x8x(H*W)"},
                        {"Nx12xD", Fake::dims({"N", "-1", "4"}), "f32 Nx(3*D)x4"},
                        {"NxCxHxW", Fake::dims({"N", "C", "H*W"}), "f32 NxCx(H*W)"},
                        {"Nx255xHxW", Fake::dims({"N", "3", "85", "H", "W"}), "f32 Nx3x85xHxW"},
                        {"NxD", list({-1}), "f32 (D*N)"},
                        {"Nx7", list({-1, 2}), "f32 (floordiv(7*N,2))x2"},
                        {"?", list({4, 5}), "f32 4x5"},
                        {"2x3", list({-1, -1}), "target shape has more than one -1"},
                        {"2x3", list({4}), "cannot reshape 2x3 (6 elements) to 4"},
                        {"2x3", list({0, 0, 0}), "target shape copies axis 2 of an input of rank 2"}};
  for (const Case& c : cases) {
    EXPECT_EQ(infer_text("Reshape", {Fake::symbolic(DataType::f32, c.input), c.target}), c.expected) << c.input;
  }
}

TEST(Reshape, ZeroIsAnExtentWithAllowzero) {
  EXPECT_EQ(run_op1("Reshape", {tensor<float>({0, 3}, {}), ints({3, 0})}, attributes({{"allowzero", 1}})).shape(), (Shape{3, 0}));
  EXPECT_TRUE(fails(run_op("Reshape", {tensor<float>({0, 3}, {}), ints({0, -1})}, attributes({{"allowzero", 1}})), ErrorCode::InvalidArgument, "both 0 and -1"));
}

TEST(Slice, LengthsOfSymbolicAxesAreExact) {
  struct Case {
    std::int64_t start, end, step;
    const char* expected;
  };
  const Case cases[] = {{0, kMax, 1, "f32 H"},           {1, kMax, 1, "f32 (H-1)"},         {0, -1, 1, "f32 (H-1)"},
                        {4, -4, 1, "f32 (max(H-8,0))"},  {0, kMax, 2, "f32 (floordiv(H+1,2))"}, {1, kMax, 2, "f32 (floordiv(H,2))"},
                        {0, 5, 1, "f32 (min(5,H))"},     {-3, kMax, 1, "f32 (min(3,H))"},   {-1, kMin, -1, "f32 H"},
                        {-3, 5, 1, "f32 _slice_0"}};
  for (const Case& c : cases) {
    EXPECT_EQ(infer_text("Slice", {Fake::symbolic(DataType::f32, "H"), list({c.start}), list({c.end}), list({0}), list({c.step})}), c.expected)
        << c.start << ":" << c.end << ":" << c.step;
  }
}

// Every start, end and step around a short axis, against ONNX's clamping written out.
TEST(Slice, ClampsAsOnnxSays) {
  const Tensor data = tensor<float>({5}, {0, 1, 2, 3, 4});
  for (std::int64_t start : {kMin, kMin + 1, std::int64_t{-7}, std::int64_t{-5}, std::int64_t{-1}, std::int64_t{0}, std::int64_t{3}, std::int64_t{5}, kMax}) {
    for (std::int64_t end : {kMin, std::int64_t{-6}, std::int64_t{-2}, std::int64_t{0}, std::int64_t{4}, std::int64_t{9}, kMax}) {
      for (std::int64_t step : {kMin, std::int64_t{-2}, std::int64_t{-1}, std::int64_t{1}, std::int64_t{3}, kMax}) {
        std::vector<float> expected;
        const __int128 s = start < 0 ? static_cast<__int128>(start) + 5 : start, e = end < 0 ? static_cast<__int128>(end) + 5 : end;
        const auto clamp = [](__int128 x, int low, int high) { return x < low ? low : x > high ? high : static_cast<int>(x); };
        if (step > 0) {
          for (__int128 i = clamp(s, 0, 5); i < clamp(e, 0, 5); i += step) expected.push_back(static_cast<float>(i));
        } else {
          for (__int128 i = clamp(s, 0, 4); i > clamp(e, -1, 4); i += step) expected.push_back(static_cast<float>(i));
        }
        const Tensor found = run_op1("Slice", {data, ints({start}), ints({end}), ints({0}), ints({step})});
        const auto values = found.values<float>();
        EXPECT_EQ(std::vector<float>(values.begin(), values.end()), expected) << start << ":" << end << ":" << step;
      }
    }
  }
}

TEST(Slice, RefusesAZeroStep) {
  EXPECT_TRUE(fails(run_op("Slice", {tensor<float>({2}, {1, 2}), ints({0}), ints({2}), ints({0}), ints({0})}), ErrorCode::InvalidArgument, "step of axis 0 is 0"));
}

TEST(Pad, RepeatsFarBeyondTheInput) {
  const Tensor data = tensor<float>({3}, {1, 2, 3});
  const auto padded = [&](const char* mode) { return run_op1("Pad", {data, ints({5, 4})}, attributes({{"mode", mode}})); };
  EXPECT_TRUE(same(padded("reflect"), tensor<float>({12}, {2, 1, 2, 3, 2, 1, 2, 3, 2, 1, 2, 3})));
  EXPECT_TRUE(same(padded("wrap"), tensor<float>({12}, {2, 3, 1, 2, 3, 1, 2, 3, 1, 2, 3, 1})));
  EXPECT_TRUE(same(padded("edge"), tensor<float>({12}, {1, 1, 1, 1, 1, 1, 2, 3, 3, 3, 3, 3})));
  EXPECT_TRUE(same(padded("constant"), tensor<float>({12}, {0, 0, 0, 0, 0, 1, 2, 3, 0, 0, 0, 0})));
}

TEST(Pad, NegativePadsCrop) {
  const Tensor data = tensor<float>({2, 3}, {1, 2, 3, 4, 5, 6});
  EXPECT_TRUE(same(run_op1("Pad", {data, ints({-1, 1}), tensor<float>({}, {9}), ints({1})}), tensor<float>({2, 3}, {2, 3, 9, 5, 6, 9})));
  EXPECT_TRUE(fails(run_op("Pad", {data, ints({-2, -2}), Datum(), ints({1})}), ErrorCode::InvalidArgument, "do not fit axis 1"));
  EXPECT_EQ(infer_text("Pad", {Fake::symbolic(DataType::f32, "NxH"), list({0, 1, 0, 2})}), "f32 Nx(H+3)");
}

TEST(Concat, JoinsSymbolicExtents) {
  EXPECT_EQ(infer_text("Concat", {Fake::symbolic(DataType::f32, "NxCxH"), Fake::symbolic(DataType::f32, "Nx3xH")}, attributes({{"axis", 1}})), "f32 Nx(C+3)xH");
  EXPECT_EQ(infer_text("Concat", {Fake::symbolic(DataType::f32, "2x3"), Fake::symbolic(DataType::f32, "3x3")}, attributes({{"axis", 1}})),
            "input 1 has shape 3x3; axis 0 should have extent 2");
}

TEST(Split, LastPartMayBeSmaller) {
  const auto parts = run_op("Split", {tensor<float>({5}, {1, 2, 3, 4, 5})}, attributes({{"num_outputs", 3}}), 3);
  ASSERT_TRUE(parts.ok()) << parts.status().to_string();
  EXPECT_TRUE(same((*parts)[1], tensor<float>({2}, {3, 4})));
  EXPECT_TRUE(same((*parts)[2], tensor<float>({1}, {5})));
  EXPECT_TRUE(fails(run_op("Split", {tensor<float>({5}, {1, 2, 3, 4, 5}), ints({2, 2})}, {}, 2), ErrorCode::InvalidArgument, "leave 1"));
}

TEST(Transpose, MovesEveryElementSize) {
  for (const DataType type : {DataType::u8, DataType::f16, DataType::f32, DataType::i64, DataType::c128}) {
    Tensor data = Tensor::allocate(type, {3, 17, 5}).value();
    for (std::size_t i = 0; i < data.bytes(); ++i) data.data<std::uint8_t>()[i] = static_cast<std::uint8_t>(i * 7);
    const Tensor moved = run_op1("Transpose", {data}, attributes({{"perm", std::vector<std::int64_t>{2, 0, 1}}}));
    EXPECT_TRUE(same(run_op1("Transpose", {moved}, attributes({{"perm", std::vector<std::int64_t>{1, 2, 0}}})), data)) << name(type);
    EXPECT_EQ(moved.shape(), (Shape{5, 3, 17}));
  }
}

TEST(Range, CountsDownAndKnowsItsLength) {
  EXPECT_TRUE(same(run_op1("Range", {scalar<std::int64_t>(5), scalar<std::int64_t>(-2), scalar<std::int64_t>(-3)}), tensor<std::int64_t>({3}, {5, 2, -1})));
  EXPECT_EQ(run_op1("Range", {scalar<std::int64_t>(5), scalar<std::int64_t>(5), scalar<std::int64_t>(1)}).elements(), 0);
  EXPECT_TRUE(fails(run_op("Range", {scalar(0), scalar(1), scalar(0)}), ErrorCode::InvalidArgument, "delta is 0"));
  EXPECT_EQ(infer_text("Range", {Fake::constant(scalar<std::int64_t>(0)), Fake::dims({"H*W"}), Fake::constant(scalar<std::int64_t>(1))}), "i64 (H*W)");
}

TEST(Squeeze, ChecksExtents) {
  EXPECT_TRUE(fails(run_op("Squeeze", {tensor<float>({1, 2}, {1, 2}), ints({1})}), ErrorCode::InvalidArgument, "only extent 1 can be squeezed"));
  EXPECT_EQ(infer_text("Unsqueeze", {Fake::symbolic(DataType::f32, "NxH"), list({-1, 0})}), "f32 1xNxHx1");
}

TEST(Expand, BroadcastsBothWays) {
  EXPECT_EQ(infer_text("Expand", {Fake::symbolic(DataType::f32, "1x3xW"), Fake::dims({"N", "1", "1", "1"})}), "f32 Nx1x3xW");
  EXPECT_TRUE(same(run_op1("Expand", {tensor<float>({2, 1}, {1, 2}), ints({3})}), tensor<float>({2, 3}, {1, 1, 1, 2, 2, 2})));
}

TEST(Tile, RepeatsAllAxes) {
  EXPECT_TRUE(same(run_op1("Tile", {tensor<float>({1, 2}, {1, 2}), ints({2, 2})}), tensor<float>({2, 4}, {1, 2, 1, 2, 1, 2, 1, 2})));
  EXPECT_TRUE(fails(run_op("Tile", {tensor<float>({2}, {1, 2}), ints({kMax})}), ErrorCode::InvalidArgument, "too long"));
}

TEST(OneHot, IgnoresIndicesOutOfRange) {
  EXPECT_TRUE(same(run_op1("OneHot", {tensor<float>({3}, {1, -1, 7}), scalar<std::int64_t>(3), tensor<float>({2}, {0, 5})}),
                   tensor<float>({3, 3}, {0, 5, 0, 0, 0, 5, 0, 0, 0})));
}

TEST(ReverseSequence, KeepsTheTail) {
  const Tensor data = tensor<float>({2, 3}, {1, 2, 3, 4, 5, 6});
  EXPECT_TRUE(same(run_op1("ReverseSequence", {data, ints({2, 3})}, attributes({{"batch_axis", 0}, {"time_axis", 1}})),
                   tensor<float>({2, 3}, {2, 1, 3, 6, 5, 4})));
}

}  // namespace
}  // namespace fovea::testing
