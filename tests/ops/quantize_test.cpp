// SPDX-License-Identifier: Apache-2.0
// QuantizeLinear and DequantizeLinear: rounding, saturation and granularity for all target types.
#include <cmath>

#include "base/onnx_data_type.h"
#include "support/op_test.h"

namespace fovea::testing {
namespace {

Attributes to(DataType type) { return attributes({{"output_dtype", onnx_number(type)}}); }

TEST(QuantizeLinear, TiesToEvenThenSaturates) {
  const Tensor x = tensor<float>({6}, {0.5, 1.5, 2.5, -1, 1000, NAN});
  EXPECT_TRUE(same(run_op1("QuantizeLinear", {x, scalar(1)}), tensor<std::uint8_t>({6}, {0, 2, 2, 0, 255, 0})));
  EXPECT_TRUE(same(run_op1("QuantizeLinear", {x, scalar(1), scalar<std::int8_t>(1)}), tensor<std::int8_t>({6}, {1, 3, 3, 0, 127, 0})));
}

TEST(QuantizeLinear, RangeOfEveryIntegerType) {
  const struct { DataType type; double low, high; } rows[] = {
      {DataType::u8, 0, 255}, {DataType::i8, -128, 127}, {DataType::u16, 0, 65535}, {DataType::i16, -32768, 32767},
      {DataType::u4, 0, 15}, {DataType::i4, -8, 7}, {DataType::u2, 0, 3}, {DataType::i2, -2, 1}};
  for (const auto& row : rows) {
    const Tensor y = run_op1("QuantizeLinear", {tensor<float>({2}, {-1e6, 1e6}), scalar(1)}, to(row.type));
    EXPECT_EQ(y.type(), row.type);
    EXPECT_EQ(element(y, 0), row.low) << name(row.type);
    EXPECT_EQ(element(y, 1), row.high) << name(row.type);
  }
}

TEST(QuantizeLinear, SmallFloats) {
  const Tensor x = tensor<float>({3}, {1.1, 1e6, -0.3});
  const Tensor y = run_op1("QuantizeLinear", {x, scalar(1)}, to(DataType::f8e4m3fn));
  EXPECT_TRUE(same(run_op1("DequantizeLinear", {y, scalar(2)}), tensor<float>({3}, {2.25, 896, -0.625})));
  const Tensor four = run_op1("QuantizeLinear", {x, scalar(1)}, to(DataType::f4e2m1));
  EXPECT_TRUE(same(run_op1("DequantizeLinear", {four, scalar(1)}), tensor<float>({3}, {1, 6, -0.5})));
  Attributes overflow = to(DataType::f8e4m3fn);
  overflow.set("saturate", std::int64_t{0});
  EXPECT_TRUE(std::isnan(element(run_op1("QuantizeLinear", {x, scalar(1)}, overflow), 1)));
}

TEST(QuantizeLinear, PerAxisAndBlocked) {
  const Tensor x = tensor<float>({2, 3}, {2, 4, 6, 2, 4, 6});
  EXPECT_TRUE(same(run_op1("QuantizeLinear", {x, tensor<float>({2}, {1, 2})}, attributes({{"axis", 0}})), tensor<std::uint8_t>({2, 3}, {2, 4, 6, 1, 2, 3})));
  const Tensor scales = tensor<float>({2, 2}, {1, 2, 2, 1});
  const Tensor y = run_op1("QuantizeLinear", {x, scales}, attributes({{"axis", 1}, {"block_size", 2}}));
  EXPECT_TRUE(same(y, tensor<std::uint8_t>({2, 3}, {2, 4, 3, 1, 2, 6})));
  EXPECT_TRUE(same(run_op1("DequantizeLinear", {y, scales}, attributes({{"axis", 1}, {"block_size", 2}})), x));
}

TEST(QuantizeLinear, RejectsWhatDoesNotFit) {
  const Tensor x = random(DataType::f32, {2, 3});
  EXPECT_TRUE(fails(run_op("QuantizeLinear", {x, tensor<float>({2}, {1, 2})}), ErrorCode::InvalidArgument, "expected 3 scales"));
  EXPECT_TRUE(fails(run_op("QuantizeLinear", {x, scalar(1), tensor<std::int8_t>({2}, {0, 0})}), ErrorCode::InvalidArgument, "zero point"));
  EXPECT_TRUE(fails(run_op("QuantizeLinear", {x, tensor<float>({3}, {1, 2, 3})}, attributes({{"block_size", INT64_MAX}})), ErrorCode::InvalidArgument, "blocks of"));
  EXPECT_TRUE(fails(run_op("DynamicQuantizeLinear", {tensor<Half>({1}, {1})}, {}, 3), ErrorCode::Unsupported, "f16"));
}

TEST(QuantizeLinear, RoundTripIsWithinHalfAStep) {
  const Tensor x = random(DataType::f32, {1000}, -1, 1);
  const Tensor scale = scalar(2.0 / 255), zero = scalar<std::uint8_t>(128);
  const Tensor back = run_op1("DequantizeLinear", {run_op1("QuantizeLinear", {x, scale, zero}), scale, zero});
  EXPECT_TRUE(close(back, x, {0, 1.01 / 255}));
}

}  // namespace
}  // namespace fovea::testing
