// SPDX-License-Identifier: Apache-2.0
// Windows as sums of cosines of 2 pi i / n, n being the size (periodic) or one less (symmetric), and the triangular
// bands of the mel scale. A symmetric window of one element is 1. Integer outputs are cut off.
#include <cmath>
#include <functional>
#include <numbers>

#include "base/element_types.h"
#include "base/onnx_data_type.h"
#include "ops/axis.h"
#include "ops/kernel_context.h"

namespace fovea::ops {

namespace {

/// Output 0 of the type that output_datatype names, element i being value(i), which lies in 0..1.
Status fill(KernelContext& context, const Shape& shape, const std::function<double(std::int64_t)>& value) {
  const DataType type = data_type_from_onnx(context.attributes().get_int("output_datatype", 1));
  if (!is_integer(type) && !is_floating(type)) return invalid_model("output_datatype: not the number of a float or integer type");
  FOVEA_ASSIGN(Tensor y, context.output(0, type, shape));
  return dispatch_numeric(type, context.op(), [&](auto tag) -> Status {
    using T = typename decltype(tag)::type;
    for (std::int64_t i = 0; i < y.elements(); ++i) {
      if constexpr (kIsHalf<T>) y.data<T>()[i] = T(static_cast<float>(value(i)));
      else y.data<T>()[i] = static_cast<T>(std::is_integral_v<T> ? std::clamp(value(i), 0.0, 1.0) : value(i));
    }
    return {};
  });
}

/// a0 - a1 cos(phase) + a2 cos(2 phase)
Status cosine_window(KernelContext& context, double a0, double a1, double a2) {
  FOVEA_ASSIGN(const std::int64_t size, int_value(context.input(0), "size"));
  if (size < 0) return invalid_argument("size: expected 0 or more, found ", size);
  const bool periodic = context.attributes().get_int("periodic", 1) != 0;
  const double n = static_cast<double>(periodic ? size : size - 1);
  return fill(context, {size}, [&](std::int64_t i) {
    if (n == 0) return 1.0;
    const double phase = 2 * std::numbers::pi * static_cast<double>(i) / n;
    return a0 - a1 * std::cos(phase) + a2 * std::cos(2 * phase);
  });
}

/// The one number of a float input.
Result<double> float_value(const Tensor& tensor, std::string_view what) {
  if (tensor.elements() != 1) return invalid_argument(what, ": expected one number, found ", tensor.elements());
  double value = 0;
  FOVEA_RETURN_IF_ERROR(dispatch_floats(tensor.type(), what, [&](auto tag) -> Status {
    using T = typename decltype(tag)::type;
    value = static_cast<double>(*tensor.data<T>());
    return {};
  }));
  return value;
}

double to_mel(double hertz) { return 2595 * std::log10(1 + hertz / 700); }
double to_hertz(double mel) { return 700 * (std::pow(10, mel / 2595) - 1); }

}  // namespace

Status blackman_window_reference(KernelContext& context) { return cosine_window(context, 0.42, 0.5, 0.08); }
Status hamming_window_reference(KernelContext& context) { return cosine_window(context, 25.0 / 46, 21.0 / 46, 0); }
Status hann_window_reference(KernelContext& context) { return cosine_window(context, 0.5, 0.5, 0); }

Status mel_weight_matrix_reference(KernelContext& context) {
  FOVEA_ASSIGN(const std::int64_t bands, int_value(context.input(0), "num_mel_bins"));
  FOVEA_ASSIGN(const std::int64_t length, int_value(context.input(1), "dft_length"));
  FOVEA_ASSIGN(const std::int64_t rate, int_value(context.input(2), "sample_rate"));
  FOVEA_ASSIGN(const double lowest, float_value(context.input(3), "lower_edge_hertz"));
  FOVEA_ASSIGN(const double highest, float_value(context.input(4), "upper_edge_hertz"));
  constexpr std::int64_t kLimit = 1 << 24;
  if (bands < 0 || bands > kLimit) return invalid_argument("num_mel_bins: expected 0..", kLimit, ", found ", bands);
  if (length < 1 || length > kLimit) return invalid_argument("dft_length: expected 1..", kLimit, ", found ", length);
  if (rate < 1) return invalid_argument("sample_rate: expected 1 or more, found ", rate);
  if (!(lowest >= 0 && highest >= lowest && std::isfinite(highest))) {
    return invalid_argument("lower_edge_hertz, upper_edge_hertz: expected 0 <= lower <= upper, found ", lowest, " and ", highest);
  }
  const std::int64_t rows = length / 2 + 1;
  std::vector<std::int64_t> edges;  // band b rises from edge b to edge b+1 and falls to edge b+2
  for (std::int64_t i = 0; i < bands + 2; ++i) {
    const double mel = to_mel(lowest) + static_cast<double>(i) * (to_mel(highest) - to_mel(lowest)) / static_cast<double>(bands + 2);
    const double edge = std::floor(static_cast<double>(length + 1) * to_hertz(mel) / static_cast<double>(rate));
    if (!(edge < static_cast<double>(rows))) return invalid_argument("upper_edge_hertz: ", highest, " is above half of sample_rate ", rate);
    edges.push_back(static_cast<std::int64_t>(std::max(edge, 0.0)));
  }
  return fill(context, {rows, bands}, [&](std::int64_t at) {
    const std::int64_t row = at / bands, band = at % bands;
    const std::int64_t left = edges[static_cast<std::size_t>(band)], centre = edges[static_cast<std::size_t>(band) + 1];
    const std::int64_t right = edges[static_cast<std::size_t>(band) + 2];
    if (row == centre) return 1.0;
    if (row >= left && row < centre) return static_cast<double>(row - left) / static_cast<double>(centre - left);
    if (row > centre && row < right) return static_cast<double>(right - row) / static_cast<double>(right - centre);
    return 0.0;
  });
}

}  // namespace fovea::ops
