// SPDX-License-Identifier: Apache-2.0
// Gather, scatter, TopK and Unique: negative indices, duplicates, ties, NaN, and indices out of range.
#include <cmath>

#include "support/op_test.h"

namespace fovea::testing {
namespace {

using Fake = FakeInferContext;

TEST(Gather, TakesNegativeIndicesAndRefusesOthers) {
  const Tensor data = tensor<float>({3, 2}, {1, 2, 3, 4, 5, 6});
  EXPECT_TRUE(same(run_op1("Gather", {data, tensor<std::int32_t>({2}, {-1, 0})}), tensor<float>({2, 2}, {5, 6, 1, 2})));
  EXPECT_TRUE(same(run_op1("Gather", {data, scalar<std::int64_t>(-1)}, attributes({{"axis", 1}})), tensor<float>({3}, {2, 4, 6})));
  EXPECT_TRUE(fails(run_op("Gather", {data, ints({3})}), ErrorCode::InvalidArgument, "index 3 is out of range for extent 3"));
}

TEST(Gather, PicksExtentsOutOfShapes) {
  Fake context("Gather", {}, {Fake::dims({"N", "3", "2*H"}), Fake::constant(ints({2, 0}))}, 1);
  ASSERT_TRUE(context.infer().ok());
  EXPECT_EQ(context.value_text(), "[2*H, N]");
}

TEST(GatherND, WalksBatches) {
  const Tensor data = tensor<float>({2, 2, 2}, {0, 1, 2, 3, 4, 5, 6, 7});
  EXPECT_TRUE(same(run_op1("GatherND", {data, tensor<std::int64_t>({2, 1}, {1, 0})}, attributes({{"batch_dims", 1}})), tensor<float>({2, 2}, {2, 3, 4, 5})));
  EXPECT_TRUE(fails(run_op("GatherND", {data, tensor<std::int64_t>({1, 4}, {0, 0, 0, 0})}), ErrorCode::InvalidArgument, "point 4 deep"));
}

TEST(ScatterElements, AppliesDuplicatesInOrder) {
  const Tensor data = tensor<float>({3}, {1, 2, 3}), updates = tensor<float>({3}, {10, 20, 30});
  const Tensor indices = tensor<std::int64_t>({3}, {0, -1, 0});
  const auto scattered = [&](const char* reduction) { return run_op1("ScatterElements", {data, indices, updates}, attributes({{"reduction", reduction}})); };
  EXPECT_TRUE(same(scattered("none"), tensor<float>({3}, {30, 2, 20})));
  EXPECT_TRUE(same(scattered("add"), tensor<float>({3}, {41, 2, 23})));
  EXPECT_TRUE(same(scattered("mul"), tensor<float>({3}, {300, 2, 60})));
  EXPECT_TRUE(same(scattered("max"), tensor<float>({3}, {30, 2, 20})));
  EXPECT_TRUE(same(scattered("min"), tensor<float>({3}, {1, 2, 3})));
}

TEST(ScatterND, WritesSlices) {
  const Tensor data = tensor<std::int8_t>({2, 2}, {1, 2, 3, 4});
  EXPECT_TRUE(same(run_op1("ScatterND", {data, tensor<std::int64_t>({1, 1}, {-1}), tensor<std::int8_t>({1, 2}, {120, 9})}, attributes({{"reduction", "add"}})),
                   tensor<std::int8_t>({2, 2}, {1, 2, 123, 13})));
  EXPECT_TRUE(fails(run_op("ScatterND", {data, tensor<std::int64_t>({1, 1}, {0}), tensor<std::int8_t>({1, 1}, {1})}), ErrorCode::InvalidArgument, "expected shape 1x2"));
}

TEST(ScatterND, ElementsAndRowsWithBothIndexTypes) {
  const Tensor data = tensor<float>({8}, {1, 2, 3, 4, 5, 6, 7, 8}), updates = tensor<float>({4}, {9, 10, 11, 12});
  const Tensor expected = tensor<float>({8}, {1, 11, 3, 10, 9, 6, 7, 12});
  EXPECT_TRUE(same(run_op1("ScatterND", {data, tensor<std::int64_t>({4, 1}, {4, 3, 1, -1}), updates}), expected));
  EXPECT_TRUE(same(run_op1("ScatterND", {data, tensor<std::int32_t>({4, 1}, {4, 3, 1, -1}), updates}), expected));
  EXPECT_TRUE(same(run_op1("ScatterND", {tensor<float>({3, 2}, {1, 2, 3, 4, 5, 6}), tensor<std::int32_t>({2, 1}, {2, 0}), tensor<float>({2, 2}, {50, 60, 70, 80})}),
                   tensor<float>({3, 2}, {70, 80, 3, 4, 50, 60})));
}

TEST(ScatterND, DuplicatesInOrder) {
  const Tensor data = tensor<float>({2}, {1, 2}), indices = tensor<std::int64_t>({3, 1}, {0, 0, -2}), updates = tensor<float>({3}, {5, 7, 3});
  const auto scattered = [&](const char* reduction) { return run_op1("ScatterND", {data, indices, updates}, attributes({{"reduction", reduction}})); };
  EXPECT_TRUE(same(scattered("none"), tensor<float>({2}, {3, 2})));
  EXPECT_TRUE(same(scattered("add"), tensor<float>({2}, {16, 2})));
  EXPECT_TRUE(same(scattered("mul"), tensor<float>({2}, {105, 2})));
  EXPECT_TRUE(same(scattered("max"), tensor<float>({2}, {7, 2})));
  EXPECT_TRUE(same(scattered("min"), tensor<float>({2}, {1, 2})));
  EXPECT_TRUE(fails(run_op("ScatterND", {data, tensor<std::int32_t>({3, 1}, {0, 2, 0}), updates}), ErrorCode::InvalidArgument, "index 2 is out of range for extent 2"));
}

TEST(TopK, TiesKeepTheLowerIndexAndNaNIsLargest) {
  const Tensor data = tensor<float>({6}, {2, NAN, 3, 2, 3, -1});
  const auto largest = run_op("TopK", {data, ints({4})}, {}, 2);
  ASSERT_TRUE(largest.ok()) << largest.status().to_string();
  EXPECT_TRUE(same((*largest)[1], ints({1, 2, 4, 0})));
  const auto smallest = run_op("TopK", {data, ints({6})}, attributes({{"largest", 0}}), 2);
  ASSERT_TRUE(smallest.ok());
  EXPECT_TRUE(same((*smallest)[1], ints({5, 0, 3, 2, 4, 1})));
  EXPECT_TRUE(fails(run_op("TopK", {data, ints({7})}, {}, 2), ErrorCode::InvalidArgument, "k is 7"));
}

TEST(Unique, GroupsNaNsAndKeepsOrderOfAppearance) {
  const auto found = run_op("Unique", {tensor<float>({6}, {2, NAN, 1, 2, NAN, -0.0})}, attributes({{"sorted", 0}}), 4);
  ASSERT_TRUE(found.ok()) << found.status().to_string();
  EXPECT_TRUE(same((*found)[1], ints({0, 1, 2, 5})));
  EXPECT_TRUE(same((*found)[2], ints({0, 1, 2, 0, 1, 3})));
  EXPECT_TRUE(same((*found)[3], ints({2, 2, 1, 1})));
}

TEST(Unique, SortsStrings) {
  EXPECT_TRUE(same(run_op1("Unique", {strings({4}, {"pear", "apple", "pear", "fig"})}), strings({3}, {"apple", "fig", "pear"})));
}

TEST(NonZero, CountsNaNButNotNegativeZero) {
  EXPECT_TRUE(same(run_op1("NonZero", {tensor<float>({2, 2}, {-0.0, NAN, 3, 0})}), tensor<std::int64_t>({2, 2}, {0, 1, 1, 0})));
  EXPECT_EQ(run_op1("NonZero", {scalar(3)}).shape(), (Shape{0, 1}));
}

TEST(Compress, ConditionMayBeShorter) {
  EXPECT_TRUE(same(run_op1("Compress", {tensor<float>({2, 2}, {1, 2, 3, 4}), tensor<bool>({3}, {0, 1, 1})}), tensor<float>({2}, {2, 3})));
}

}  // namespace
}  // namespace fovea::testing
