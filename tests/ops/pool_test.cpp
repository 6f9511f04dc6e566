// SPDX-License-Identifier: Apache-2.0
// Poolings: the rules about borders, which is where implementations differ.
#include <limits>

#include "support/op_test.h"

namespace fovea::testing {
namespace {

using Ints = std::vector<std::int64_t>;

const Tensor kPoolRow = tensor<float>({1, 1, 5}, {1, 2, 3, 4, 5});

TEST(AveragePool, CountsPaddingOnlyWhenAskedAndNeverWhatCeilModeAdds) {
  const Ints two{2}, pads{1, 1};
  EXPECT_TRUE(close(run_op1("AveragePool", {kPoolRow}, attributes({{"kernel_shape", two}, {"strides", two}, {"pads", pads}})),
                    tensor<float>({1, 1, 3}, {1, 2.5, 4.5})));
  EXPECT_TRUE(close(run_op1("AveragePool", {kPoolRow}, attributes({{"kernel_shape", two}, {"strides", two}, {"pads", pads}, {"count_include_pad", 1}})),
                    tensor<float>({1, 1, 3}, {0.5, 2.5, 4.5})));
  EXPECT_TRUE(close(run_op1("AveragePool", {kPoolRow}, attributes({{"kernel_shape", two}, {"strides", two}, {"ceil_mode", 1}, {"count_include_pad", 1}})),
                    tensor<float>({1, 1, 3}, {1.5, 3.5, 5})));
}

TEST(AveragePool, LastWindowMayNotStartInThePadding) {
  EXPECT_TRUE(close(run_op1("AveragePool", {kPoolRow}, attributes({{"kernel_shape", Ints{1}}, {"strides", Ints{3}}, {"pads", Ints{0, 1}}, {"ceil_mode", 1}})),
                    tensor<float>({1, 1, 2}, {1, 4})));
}

TEST(MaxPool, IndicesInBothOrders) {
  const Tensor x = tensor<std::uint8_t>({1, 2, 2, 3}, {1, 9, 3, 4, 5, 9, 0, 0, 0, 0, 7, 7});
  const Attributes row_major = attributes({{"kernel_shape", Ints{2, 2}}});
  const auto rows = run_op("MaxPool", {x}, row_major, 2).value();
  EXPECT_TRUE(same(rows[0], tensor<std::uint8_t>({1, 2, 1, 2}, {9, 9, 7, 7})));
  EXPECT_TRUE(same(rows[1], tensor<std::int64_t>({1, 2, 1, 2}, {1, 1, 10, 10})));
  const auto columns = run_op("MaxPool", {x}, attributes({{"kernel_shape", Ints{2, 2}}, {"storage_order", 1}}), 2).value();
  EXPECT_TRUE(same(columns[1], tensor<std::int64_t>({1, 2, 1, 2}, {2, 2, 9, 9})));
}

TEST(MaxPool, NaNWinsAndDilationSkips) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  EXPECT_TRUE(same(run_op1("MaxPool", {tensor<float>({1, 1, 3}, {1, nan, 5})}, attributes({{"kernel_shape", Ints{2}}})),
                   tensor<float>({1, 1, 2}, {nan, nan})));
  EXPECT_TRUE(same(run_op1("MaxPool", {tensor<float>({1, 1, 3}, {1, nan, 5})}, attributes({{"kernel_shape", Ints{2}}, {"dilations", Ints{2}}})),
                   tensor<float>({1, 1, 1}, {5})));
}

TEST(LpPool, NormOfTheInsideTaps) {
  EXPECT_TRUE(close(run_op1("LpPool", {tensor<float>({1, 1, 2}, {3, -4})}, attributes({{"kernel_shape", Ints{2}}, {"pads", Ints{1, 0}}})),
                    tensor<float>({1, 1, 2}, {3, 5})));
}

TEST(GlobalPool, AllThree) {
  const Tensor x = tensor<Half>({1, 2, 2, 2}, {1, 2, 3, 6, -1, -2, -3, -4});
  EXPECT_TRUE(same(run_op1("GlobalAveragePool", {x}), tensor<Half>({1, 2, 1, 1}, {3, -2.5})));
  EXPECT_TRUE(same(run_op1("GlobalMaxPool", {x}), tensor<Half>({1, 2, 1, 1}, {6, -1})));
  EXPECT_TRUE(same(run_op1("GlobalLpPool", {x}, attributes({{"p", 1}})), tensor<Half>({1, 2, 1, 1}, {12, 10})));
  EXPECT_EQ(infer_text("GlobalMaxPool", {symbolic(DataType::f16, "NxCxHxW")}), "f16 NxCx1x1");
}

TEST(Pool, SymbolicShapesAgreeWithConcreteOnes) {
  for (const Ints& pads : {Ints{0, 0}, Ints{1, 1}, Ints{0, 3}, Ints{2, 5}}) {
    for (std::int64_t stride = 1; stride <= 4; ++stride) {
      for (const int ceil : {0, 1}) {
        const Attributes window = attributes({{"kernel_shape", Ints{3}}, {"strides", Ints{stride}}, {"pads", pads}, {"ceil_mode", ceil}});
        FakeInferContext context("MaxPool", window, {symbolic(DataType::f32, "1x1xL")}, 1);
        ASSERT_TRUE(context.infer().ok());
        for (std::int64_t length = 3; length < 12; ++length) {
          const std::int64_t foretold = evaluate(*context.output(0).shape, {{"L", length}}).value()[2];
          EXPECT_EQ(foretold, run_op1("MaxPool", {random(DataType::f32, {1, 1, length})}, window).dim(2));
        }
      }
    }
  }
}

TEST(Pool, RefusesNonsense) {
  EXPECT_TRUE(fails(run_op("MaxPool", {kPoolRow}), ErrorCode::InvalidModel, "kernel_shape"));
  EXPECT_TRUE(fails(run_op("MaxPool", {kPoolRow}, attributes({{"kernel_shape", Ints{6}}})), ErrorCode::InvalidArgument, "does not fit"));
  EXPECT_TRUE(fails(run_op("LpPool", {kPoolRow}, attributes({{"kernel_shape", Ints{2}}, {"p", 0}})), ErrorCode::InvalidModel, "p: expected"));
}

TEST(MaxUnpool, IndicesCountTheSmallerNaturalShape) {
  const Tensor x = tensor<float>({1, 1, 2, 2}, {1, 2, 3, 4}), indices = tensor<std::int64_t>({1, 1, 2, 2}, {5, 7, 13, 15});
  const Attributes window = attributes({{"kernel_shape", Ints{2, 2}}, {"strides", Ints{2, 2}}});
  EXPECT_TRUE(same(run_op1("MaxUnpool", {x, indices}, window), tensor<float>({1, 1, 4, 4}, {0, 0, 0, 0, 0, 1, 0, 2, 0, 0, 0, 0, 0, 3, 0, 4})));
  const Tensor large = run_op1("MaxUnpool", {x, indices, ints({1, 1, 5, 5})}, window);
  EXPECT_EQ(element(large, 6), 1);
  EXPECT_EQ(element(large, 18), 4);
  EXPECT_TRUE(fails(run_op("MaxUnpool", {x, tensor<std::int64_t>({1, 1, 2, 2}, {5, 7, 13, 16})}, window), ErrorCode::InvalidArgument, "16"));
}

TEST(MaxRoiPool, CellsOfARegion) {
  const Tensor x = tensor<float>({1, 1, 4, 4}, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16});
  const Attributes cells = attributes({{"pooled_shape", Ints{2, 2}}});
  EXPECT_TRUE(same(run_op1("MaxRoiPool", {x, tensor<float>({2, 5}, {0, 0, 0, 3, 3, 0, 1, 1, 1, 1})}, cells),
                   tensor<float>({2, 1, 2, 2}, {6, 8, 14, 16, 6, 6, 6, 6})));
  EXPECT_TRUE(fails(run_op("MaxRoiPool", {x, tensor<float>({1, 5}, {1, 0, 0, 3, 3})}, cells), ErrorCode::InvalidArgument, "batch index"));
}

}  // namespace
}  // namespace fovea::testing
