// SPDX-License-Identifier: Apache-2.0
// Softmax, reductions and Gather against the references.
#include "support/kernel_test.h"

namespace fovea {
namespace {

using namespace testing;

TEST(SoftmaxCpu, EveryAxisBothLayouts) {
  for (const char* op : {"Softmax", "LogSoftmax"}) {
    for (int axis = 0; axis < 4; ++axis) {
      for (Layout layout : {Layout::plain, Layout::nhwc}) {
        KernelCase test{.op = op, .attributes = attributes({{"axis", axis}})};
        test.inputs = {random(DataType::f32, {2, 21, 19, 17}, -8, 8)};
        test.layout = layout;
        EXPECT_TRUE(agrees(test)) << op << " axis " << axis << " " << name(layout);
      }
    }
  }
}

TEST(SoftmaxCpu, ShortRows) {
  for (std::int64_t n : {1, 2, 5, 12}) {
    for (const char* op : {"Softmax", "LogSoftmax"}) {
      KernelCase test{.op = op};
      test.inputs = {random(DataType::f32, {700, n}, -8, 8)};
      EXPECT_TRUE(agrees(test)) << op << " of " << n;
    }
  }
}

TEST(ReduceCpu, SpaceChannelsEverything) {
  for (const char* op : {"ReduceMean", "ReduceSum", "ReduceMax", "ReduceMin", "ReduceL2", "ReduceSumSquare"}) {
    for (const Tensor& axes : {ints({2, 3}), ints({1}), ints({-1}), ints({0, 1, 2, 3})}) {
      for (int keep : {0, 1}) {
        KernelCase test{.op = op, .attributes = attributes({{"keepdims", keep}})};
        test.inputs = {random(DataType::f32, {2, 33, 13, 9}, -1, 1), axes};
        test.constants = {1};
        EXPECT_TRUE(agrees(test)) << op;
        if (axes.elements() == 2 || axes.values<std::int64_t>()[0] == 1) {
          test.layout = Layout::nhwc;
          if (keep) {
            EXPECT_TRUE(agrees(test)) << op << " nhwc";
          }
        }
      }
    }
  }
}

TEST(GatherCpu, RunsAndChannels) {
  for (int axis : {0, 1, 2, 3}) {
    for (DataType type : {DataType::f32, DataType::i64, DataType::u8}) {
      KernelCase test{.op = "Gather", .attributes = attributes({{"axis", axis}})};
      test.inputs = {random(type, {4, 6, 5, 7}, 0, 9), ints({3, 0, -1, 2, 2})};
      EXPECT_TRUE(agrees(test)) << axis;
      test.layout = Layout::nhwc;
      test.input_layouts = {Layout::nhwc, Layout::plain};
      EXPECT_TRUE(agrees(test)) << axis << " nhwc";
    }
  }
}

}  // namespace
}  // namespace fovea
