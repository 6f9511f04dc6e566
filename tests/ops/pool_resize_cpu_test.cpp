// SPDX-License-Identifier: Apache-2.0
// Pooling and resizing kernels against the references, both layouts.
#include "support/kernel_test.h"

namespace fovea {
namespace {

using namespace testing;
using Ints = std::vector<std::int64_t>;

struct PoolCase {
  const char* op;
  Attributes attributes;
};

TEST(PoolCpu, AgreesWithReference) {
  const std::vector<PoolCase> cases = {
      {"MaxPool", attributes({{"kernel_shape", Ints{3, 3}}, {"strides", Ints{2, 2}}, {"pads", Ints{1, 1, 1, 1}}})},
      {"MaxPool", attributes({{"kernel_shape", Ints{3, 2}}, {"strides", Ints{2, 2}}, {"ceil_mode", 1}})},
      {"MaxPool", attributes({{"kernel_shape", Ints{5, 5}}, {"pads", Ints{2, 2, 2, 2}}})},
      {"AveragePool", attributes({{"kernel_shape", Ints{3, 3}}, {"strides", Ints{2, 2}}, {"pads", Ints{1, 1, 1, 1}}})},
      {"AveragePool", attributes({{"kernel_shape", Ints{3, 3}}, {"pads", Ints{1, 1, 1, 1}}, {"count_include_pad", 1}})},
      {"AveragePool", attributes({{"kernel_shape", Ints{2, 2}}, {"strides", Ints{2, 2}}, {"ceil_mode", 1}})},
      {"GlobalAveragePool", {}},
      {"GlobalMaxPool", {}},
  };
  for (const PoolCase& c : cases) {
    for (Layout layout : {Layout::nhwc, Layout::plain}) {
      KernelCase test{.op = c.op, .attributes = c.attributes};
      test.inputs = {random(DataType::f32, {2, 19, 13, 11})};
      test.layout = layout;
      EXPECT_TRUE(agrees(test)) << c.op << " " << name(layout);
    }
  }
}

TEST(ResizeCpu, AgreesWithReference) {
  for (const char* mode : {"nearest", "linear"}) {
    for (const char* coordinates : {"half_pixel", "asymmetric", "align_corners", "pytorch_half_pixel"}) {
      for (Layout layout : {Layout::nhwc, Layout::plain}) {
        for (const Ints& size : {Ints{2, 19, 26, 22}, Ints{2, 19, 7, 5}, Ints{2, 19, 13, 40}}) {
          KernelCase test{.op = "Resize", .attributes = attributes({{"mode", mode}, {"coordinate_transformation_mode", coordinates}})};
          test.inputs = {random(DataType::f32, {2, 19, 13, 11}), Tensor(), Tensor(), Tensor::from<std::int64_t>(DataType::i64, {4}, size)};
          test.constants = {3};
          test.layout = layout;
          EXPECT_TRUE(agrees(test)) << mode << " " << coordinates << " " << name(layout);
          test.sliced_inputs = {0};
          test.sliced_output = true;
          EXPECT_TRUE(agrees(test)) << mode << " " << coordinates << " " << name(layout) << " sliced";
        }
      }
    }
  }
}

}  // namespace
}  // namespace fovea
