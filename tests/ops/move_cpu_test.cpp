// SPDX-License-Identifier: Apache-2.0
// Strided copies against the references: layouts, slices, element sizes.
#include "support/kernel_test.h"

namespace fovea {
namespace {

using namespace testing;


KernelCase make(std::string op, std::vector<Tensor> inputs, Attributes attributes = {}, std::vector<int> constants = {}) {
  KernelCase test;
  test.op = std::move(op);
  test.inputs = std::move(inputs);
  test.attributes = std::move(attributes);
  test.constants = std::move(constants);
  return test;
}

TEST(MoveCpu, AgreesWithReference) {
  const Tensor x = random(DataType::f32, {2, 12, 9, 7}), y = random(DataType::f32, {2, 5, 9, 7}, -1, 1, 2);
  const std::vector<KernelCase> cases = {
      make("Transpose", {x}, attributes({{"perm", std::vector<std::int64_t>{0, 2, 3, 1}}})),
      make("Transpose", {x}, attributes({{"perm", std::vector<std::int64_t>{3, 1, 0, 2}}})),
      make("Concat", {x, y, x}, attributes({{"axis", 1}})),
      make("Slice", {x, ints({1, -1}), ints({8, -100}), ints({1, 3}), ints({2, -2})}, {}, {1, 2, 3, 4}),
      make("Pad", {x, ints({0, 1, 2, 0, 0, 0, 1, 3}), scalar(0.5)}, {}, {1}),
      make("Pad", {x, ints({0, -1, 2, 0, 0, 0, 1, -3})}, {}, {1}),
      make("Expand", {random(DataType::f32, {12, 1, 7}), ints({2, 12, 9, 7})}, {}, {1}),
      make("DepthToSpace", {x}, attributes({{"blocksize", 2}})),
      make("DepthToSpace", {x}, attributes({{"blocksize", 2}, {"mode", "CRD"}})),
      make("SpaceToDepth", {random(DataType::f32, {1, 3, 8, 6})}, attributes({{"blocksize", 2}})),
      make("Tile", {x, ints({2, 1, 3, 2})}, {}, {1}),
      make("fovea::reorder", {x}),
  };
  for (KernelCase test : cases) {
    for (Layout layout : {Layout::plain, Layout::nhwc}) {
      test.layout = layout;
      test.sliced_inputs = {};
      EXPECT_TRUE(agrees(test)) << test.op << " " << name(layout);
      test.sliced_inputs = {0};
      EXPECT_TRUE(agrees(test)) << test.op << " " << name(layout) << " of a slice";
    }
  }
}

TEST(MoveCpu, SplitGivesEveryPart) {
  KernelCase test = make("Split", {random(DataType::i64, {2, 10, 4}, -9, 9), ints({3, 5, 2})}, attributes({{"axis", 1}}), {1});
  test.num_outputs = 3;
  EXPECT_TRUE(agrees(test));
}

TEST(MoveCpu, ReordersBothWays) {
  for (DataType type : {DataType::f32, DataType::u8, DataType::f16}) {
    KernelCase test = make("fovea::reorder", {random(type, {2, 37, 19, 21}, 0, 9)});
    test.input_layouts = {Layout::nhwc};
    EXPECT_TRUE(agrees(test));
    test.layout = Layout::nhwc;
    test.input_layouts = {Layout::plain};
    EXPECT_TRUE(agrees(test));
    test.inputs = {random(type, {2, 3, 13, 11}, 0, 9)};
    EXPECT_TRUE(agrees(test)) << "three planes to pixels";
  }
}

}  // namespace
}  // namespace fovea
