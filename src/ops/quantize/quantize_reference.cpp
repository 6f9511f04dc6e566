// SPDX-License-Identifier: Apache-2.0
// QuantizeLinear: y = saturate(round_half_even(x / scale) + zero_point), x / scale rounded to `precision` (default:
// the scale's type). DequantizeLinear: y = (x - zero_point) * scale. Scale and zero point: one value, one per index of
// `axis`, or one per block of `block_size` along it.
#include <cmath>

#include "base/float_types.h"
#include "base/onnx_data_type.h"
#include "ops/quantize/integer_range.h"
#include "ops/wide.h"

namespace fovea::ops {

namespace {

/// Index of the scale that belongs to an element.
struct ScaleIndex {
  enum class Mode { Tensor, Axis, Block } mode = Mode::Tensor;
  AxisSplit split;
  std::int64_t block = 1, blocks = 1;

  std::int64_t of(std::int64_t element) const {
    if (mode == Mode::Tensor) return 0;
    const std::int64_t along = element / split.inner % split.extent;
    if (mode == Mode::Axis) return along;
    return (element / (split.inner * split.extent) * blocks + along / block) * split.inner + element % split.inner;
  }
};

Result<ScaleIndex> scale_index(const KernelContext& context) {
  const Tensor& x = context.input(0);
  const Tensor& scale = context.input(1);
  ScaleIndex index;
  const std::int64_t block = context.attributes().get_int("block_size", 0);
  if (context.has_input(2) && context.input(2).elements() != scale.elements()) {
    return invalid_argument(context.op(), ": zero point ", context.input(2).shape().to_string(), " does not fit scale ", scale.shape().to_string());
  }
  if (block == 0 && scale.elements() == 1) return index;
  FOVEA_ASSIGN(index.split, split_at(context.op(), x.shape(), context.attributes().get_int("axis", 1)));
  if (block == 0) {
    index.mode = ScaleIndex::Mode::Axis;
    if (scale.elements() == index.split.extent) return index;
    return invalid_argument(context.op(), ": expected ", index.split.extent, " scales along the axis, found ", scale.shape().to_string());
  }
  if (block < 0) return invalid_argument(context.op(), ": attribute 'block_size' must not be negative, found ", block);
  index.mode = ScaleIndex::Mode::Block;
  index.block = block;
  index.blocks = index.split.extent / block + (index.split.extent % block != 0);
  if (scale.elements() == index.split.outer * index.blocks * index.split.inner) return index;
  return invalid_argument(context.op(), ": scale ", scale.shape().to_string(), " does not fit blocks of ", block, " in ", x.shape().to_string());
}

/// nearbyint() without a call for each element: below 2^51, adding 1.5 * 2^52 leaves no bits behind the point.
double round_to_even(double value) {
  return std::fabs(value) < 0x1p51 ? (value + 0x1.8p52) - 0x1.8p52 : std::nearbyint(value);
}

/// Rounds to the precision of a float type.
double round_to(DataType type, double value) {
  switch (type) {
    case DataType::f16: return Half(round_to_odd(value));
    case DataType::bf16: return BFloat16(round_to_odd(value));
    case DataType::f32: return static_cast<float>(value);
    default: return value;
  }
}

}  // namespace

Status quantize_linear_reference(KernelContext& context) {
  FOVEA_ASSIGN(const ScaleIndex index, scale_index(context));
  FOVEA_ASSIGN(const Tensor x, widen(context, 0));
  FOVEA_ASSIGN(const Tensor scale, widen(context, 1));
  DataType type = data_type_from_onnx(context.attributes().get_int("output_dtype", 0));
  Tensor zero;
  if (context.has_input(2)) {
    type = context.input(2).type();
    FOVEA_ASSIGN(zero, widen(context, 2));
  } else if (type == DataType::undefined) {
    type = DataType::u8;
  }
  const std::int64_t wanted = context.attributes().get_int("precision", 0);
  const DataType precision = wanted != 0 ? data_type_from_onnx(wanted) : context.input(1).type();
  const IntegerRange range = integer_range(type);
  FOVEA_ASSIGN(Tensor y, Tensor::allocate(DataType::f64, x.shape()));
  const bool integral = is_integer(type);
  for (std::int64_t i = 0; i < x.elements(); ++i) {
    const std::int64_t at = index.of(i);
    double value = round_to(precision, x.data<double>()[i] / scale.data<double>()[at]);
    if (integral) value = range.clamp(round_to_even(value) + (zero.defined() ? zero.data<double>()[at] : 0));
    y.data<double>()[i] = value;
  }
  FOVEA_ASSIGN(Tensor output, context.output(0, type, y.shape()));
  return cast_elements(y, output, context.op(), {.saturate = context.attributes().get_int("saturate", 1) != 0});
}

Status dequantize_linear_reference(KernelContext& context) {
  FOVEA_ASSIGN(const ScaleIndex index, scale_index(context));
  FOVEA_ASSIGN(const Tensor x, widen(context, 0));
  FOVEA_ASSIGN(const Tensor scale, widen(context, 1));
  Tensor zero;
  if (context.has_input(2)) {
    FOVEA_ASSIGN(zero, widen(context, 2));
  }
  FOVEA_ASSIGN(Tensor y, Tensor::allocate(DataType::f64, x.shape()));
  for (std::int64_t i = 0; i < x.elements(); ++i) {
    const std::int64_t at = index.of(i);
    y.data<double>()[i] = (x.data<double>()[i] - (zero.defined() ? zero.data<double>()[at] : 0)) * scale.data<double>()[at];
  }
  const std::int64_t wanted = context.attributes().get_int("output_dtype", 0);
  return store(context, 0, wanted != 0 ? data_type_from_onnx(wanted) : context.input(1).type(), y);
}

/// scale = (max(x, 0) - min(x, 0)) / 255, zero_point = saturate(round(-min / scale)), in f32 as ONNX defines it.
Status dynamic_quantize_linear_reference(KernelContext& context) {
  const Tensor& x = context.input(0);
  if (x.type() != DataType::f32) return unsupported("DynamicQuantizeLinear: element type ", name(x.type()), " is not supported");
  float low = 0, high = 0;
  for (const float value : x.values<float>()) {
    low = std::fmin(low, value);
    high = std::fmax(high, value);
  }
  const float scale = (high - low) / 255.0f;
  const float zero = scale == 0 ? 0.0f : std::nearbyint(std::clamp(-low / scale, 0.0f, 255.0f));
  FOVEA_ASSIGN(Tensor y, context.output(0, DataType::u8, x.shape()));
  for (std::int64_t i = 0; i < x.elements(); ++i) {
    const float value = scale == 0 ? 0.0f : std::nearbyint(x.data<float>()[i] / scale) + zero;
    y.data<std::uint8_t>()[i] = static_cast<std::uint8_t>(IntegerRange{0, 255}.clamp(value));
  }
  FOVEA_ASSIGN(Tensor scale_out, context.output(1, DataType::f32, {}));
  FOVEA_ASSIGN(Tensor zero_out, context.output(2, DataType::u8, {}));
  scale_out.data<float>()[0] = scale;
  zero_out.data<std::uint8_t>()[0] = static_cast<std::uint8_t>(zero);
  return {};
}

}  // namespace fovea::ops
