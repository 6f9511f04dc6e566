// SPDX-License-Identifier: Apache-2.0
// ConvInteger and QLinearConv: zero points are taken off first, so that padding counts as zero; sums are exact.
//   ConvInteger: y = sum (x - x_zp) * (w - w_zp)
//   QLinearConv: y = saturate(round_half_even((sum + B) * x_scale * w_scale / y_scale) + y_zp)
#include <cmath>

#include "base/element_types.h"
#include "ops/conv/conv_loops.h"
#include "ops/kernel_context.h"

namespace fovea::ops {

namespace {

Result<std::int32_t> read_byte(const Tensor& tensor, std::int64_t i) {
  if (tensor.type() == DataType::i8) return static_cast<std::int32_t>(tensor.data<std::int8_t>()[i]);
  if (tensor.type() == DataType::u8) return static_cast<std::int32_t>(tensor.data<std::uint8_t>()[i]);
  return unsupported("expected i8 or u8, found ", name(tensor.type()));
}

/// tensor - zero_point as i32. The zero point is absent, one number, or one per extent of axis 0.
Result<std::vector<std::int32_t>> centred(std::string_view what, const Tensor& tensor, const Tensor* zero_point) {
  const std::int64_t outer = tensor.rank() > 0 ? tensor.dim(0) : 1;
  const std::int64_t inner = outer > 0 ? tensor.elements() / outer : 0;
  const std::int64_t points = zero_point ? zero_point->elements() : 0;
  if (zero_point && points != 1 && points != outer) {
    return invalid_argument(what, " zero point: expected 1 or ", outer, " numbers, found ", points);
  }
  std::vector<std::int32_t> values(static_cast<std::size_t>(tensor.elements()));
  for (std::int64_t o = 0, at = 0; o < outer; ++o) {
    std::int32_t zero = 0;
    if (zero_point) {
      FOVEA_ASSIGN(zero, read_byte(*zero_point, points == 1 ? 0 : o));
    }
    for (std::int64_t i = 0; i < inner; ++i, ++at) {
      FOVEA_ASSIGN(const std::int32_t value, read_byte(tensor, at));
      values[static_cast<std::size_t>(at)] = value - zero;
    }
  }
  return values;
}

const Tensor* optional_input(KernelContext& context, int i) { return context.has_input(i) ? &context.input(i) : nullptr; }

Status check_scale(std::string_view what, const Tensor& scale, std::int64_t channels) {
  if (scale.type() != DataType::f32) return invalid_argument(what, ": expected f32, found ", name(scale.type()));
  if (scale.elements() == 1 || scale.elements() == channels) return {};
  return invalid_argument(what, ": expected 1 or ", channels, " numbers, found ", scale.elements());
}

template <class T>
T quantized(double value, std::int32_t zero_point) {
  const double shifted = std::nearbyint(value) + zero_point;
  if (std::isnan(shifted)) return static_cast<T>(zero_point);
  return static_cast<T>(std::clamp(shifted, double{std::numeric_limits<T>::min()}, double{std::numeric_limits<T>::max()}));
}

}  // namespace

Status conv_integer_reference(KernelContext& context) {
  const Tensor &x = context.input(0), &weights = context.input(1);
  FOVEA_ASSIGN(const ConvParams params, ConvParams::parse(context.attributes(), x.rank()));
  FOVEA_ASSIGN(const ConvGeometry geometry, params.resolve(x.shape(), weights.shape()));
  FOVEA_RETURN_IF_ERROR(check_conv_ranks(geometry));
  const Tensor* const x_zero_point = optional_input(context, 2);
  if (x_zero_point && x_zero_point->elements() != 1) return invalid_argument("x zero point: expected 1 number, found ", x_zero_point->elements());
  FOVEA_ASSIGN(const auto x_values, centred("x", x, x_zero_point));
  FOVEA_ASSIGN(const auto w_values, centred("weights", weights, optional_input(context, 3)));
  FOVEA_ASSIGN(Tensor y, context.output(0, DataType::i32, geometry.output_shape()));
  std::int32_t* const dst = y.data<std::int32_t>();
  convolve<std::int64_t>(geometry, x_values.data(), w_values.data(),
                         [&](std::int64_t, std::int64_t at, const std::int64_t* row, std::int64_t count) {
                           for (std::int64_t i = 0; i < count; ++i) dst[at + i] = static_cast<std::int32_t>(row[i]);
                         });
  return {};
}

Status qlinear_conv_reference(KernelContext& context) {
  const Tensor &x = context.input(0), &weights = context.input(3), &y_zero_point = context.input(7);
  FOVEA_ASSIGN(const ConvParams params, ConvParams::parse(context.attributes(), x.rank()));
  FOVEA_ASSIGN(const ConvGeometry geometry, params.resolve(x.shape(), weights.shape()));
  FOVEA_RETURN_IF_ERROR(check_conv_ranks(geometry));
  const Tensor &x_scale = context.input(1), &w_scale = context.input(4), &y_scale = context.input(6);
  FOVEA_RETURN_IF_ERROR(check_scale("x_scale", x_scale, 1));
  FOVEA_RETURN_IF_ERROR(check_scale("w_scale", w_scale, geometry.oc));
  FOVEA_RETURN_IF_ERROR(check_scale("y_scale", y_scale, 1));
  if (context.input(2).elements() != 1) return invalid_argument("x_zero_point: expected 1 number, found ", context.input(2).elements());
  if (y_zero_point.elements() != 1) return invalid_argument("y_zero_point: expected 1 number, found ", y_zero_point.elements());
  const Tensor* const bias = optional_input(context, 8);
  if (bias) {
    FOVEA_RETURN_IF_ERROR(check_channel_vector("B", *bias, geometry.oc));
    if (bias->type() != DataType::i32) return invalid_argument("B: expected i32, found ", name(bias->type()));
  }
  FOVEA_ASSIGN(const std::int32_t zero, read_byte(y_zero_point, 0));
  FOVEA_ASSIGN(const auto x_values, centred("x", x, &context.input(2)));
  FOVEA_ASSIGN(const auto w_values, centred("weights", weights, &context.input(5)));
  FOVEA_ASSIGN(Tensor y, context.output(0, y_zero_point.type(), geometry.output_shape()));
  return dispatch<std::int8_t, std::uint8_t>(y.type(), "QLinearConv", [&](auto tag) -> Status {
    using T = typename decltype(tag)::type;
    T* const dst = y.data<T>();
    // Rounded to f32 in this order by everyone who runs quantised networks: at ties that decides.
    const float from = x_scale.data<float>()[0], to = y_scale.data<float>()[0];
    const bool per_channel = w_scale.elements() != 1;
    convolve<std::int64_t>(geometry, x_values.data(), w_values.data(),
                           [&](std::int64_t oc, std::int64_t at, const std::int64_t* row, std::int64_t count) {
                             const float scale = from * w_scale.data<float>()[per_channel ? oc : 0] / to;
                             const std::int64_t add = bias ? bias->data<std::int32_t>()[oc] : 0;
                             for (std::int64_t i = 0; i < count; ++i) {
                               dst[at + i] = quantized<T>(static_cast<double>(static_cast<float>(row[i] + add) * scale), zero);
                             }
                           });
    return {};
  });
}

}  // namespace fovea::ops
