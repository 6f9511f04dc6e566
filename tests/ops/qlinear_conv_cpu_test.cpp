// SPDX-License-Identifier: Apache-2.0
// QLinearConv's kernels against the reference, integer for integer: types, zero points, groups, and pictures that end
// inside a tile of the machine's matrix unit.
#include <cmath>

#include "support/kernel_test.h"

namespace fovea {
namespace {

using namespace testing;

struct QuantizedConvCase {
  const char* name;
  DataType type;
  std::int64_t n, ic, oc, group, h, w, kernel, stride, pad;
  double x_zero, y_zero;
  bool bias = true, per_channel = true;
};

std::ostream& operator<<(std::ostream& out, const QuantizedConvCase& c) { return out << c.name; }

constexpr DataType i8 = DataType::i8, u8 = DataType::u8;
constexpr QuantizedConvCase kCases[] = {
    {"stem", i8, 1, 3, 16, 1, 19, 17, 3, 2, 1, -128, 2},
    {"depthwise", i8, 1, 24, 24, 24, 9, 9, 3, 1, 1, -8, 0, false},
    {"depthwise_odd", u8, 2, 19, 19, 19, 7, 6, 3, 2, 1, 0, 111},
    {"pointwise", u8, 2, 16, 32, 1, 7, 9, 1, 1, 0, 0, 0},
    {"pointwise_odd_channels", u8, 1, 13, 29, 1, 5, 5, 1, 1, 0, 3, 7, true, false},
    {"ends_inside_a_tile", i8, 1, 128, 128, 1, 6, 6, 1, 1, 0, -19, 13},
    {"ends_inside_a_tile_without_zero_points", u8, 1, 128, 128, 1, 6, 6, 1, 1, 0, 0, 0},
    {"one_row_too_many", i8, 1, 64, 192, 1, 11, 3, 1, 1, 0, 5, -7},
    {"tile_of_3x3", i8, 1, 64, 64, 1, 7, 5, 3, 1, 1, 1, 1},
    {"one_pixel", u8, 1, 64, 10, 1, 1, 1, 1, 1, 0, 128, 128},
};

class QLinearConvCpu : public ::testing::TestWithParam<QuantizedConvCase> {};

TEST_P(QLinearConvCpu, EqualsTheReference) {
  const QuantizedConvCase& c = GetParam();
  const double low = c.type == i8 ? -128 : 0;
  const auto one = [](DataType type, double value) { return random(type, {}, value, value); };
  KernelCase test{.op = "QLinearConv"};
  test.attributes = attributes({{"strides", std::vector<std::int64_t>{c.stride, c.stride}}, {"group", c.group},
                                {"pads", std::vector<std::int64_t>{c.pad, c.pad, c.pad, c.pad}}});
  const std::int64_t reach = c.ic / c.group * c.kernel * c.kernel;
  const double y_scale = 30.0 * std::sqrt(static_cast<double>(reach));  // most results stay inside eight bits
  test.inputs = {random(c.type, {c.n, c.ic, c.h, c.w}, low, low + 255), one(DataType::f32, 0.02), one(c.type, c.x_zero),
                 random(i8, {c.oc, c.ic / c.group, c.kernel, c.kernel}, -127, 127, 2),
                 random(DataType::f32, c.per_channel ? Shape{c.oc} : Shape{}, 0.3, 1.1, 3), one(i8, 0), one(DataType::f32, 0.02 * 4 * y_scale),
                 one(c.type, c.y_zero)};
  if (c.bias) test.inputs.push_back(random(DataType::i32, {c.oc}, -9000, 9000, 4));
  test.constants = {1, 2, 3, 4, 5, 6, 7, 8};
  test.layout = Layout::nhwc;
  for (const int threads : {1, 2}) {
    test.threads = threads;
    EXPECT_TRUE(agrees(test, "onednn_qlinear_conv")) << threads << " threads";
    // Not every convolution has an implementation for the matrix unit; what has one must be right.
    if (refusal(test, "onednn_qlinear_conv_amx").empty()) {
      EXPECT_TRUE(agrees(test, "onednn_qlinear_conv_amx")) << threads << " threads, matrix unit";
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Cases, QLinearConvCpu, ::testing::ValuesIn(kCases), [](const auto& instance) { return std::string(instance.param.name); });

}  // namespace
}  // namespace fovea
