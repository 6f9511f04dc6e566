// SPDX-License-Identifier: Apache-2.0
// DFT: every line along the axis is cut or padded with zeros to dft_length and transformed in f64.
#include "ops/signal/dft.h"

#include <algorithm>

#include "base/checked_math.h"
#include "base/element_types.h"
#include "ops/axis.h"
#include "ops/signal/fft.h"
#include "ops/widen.h"

namespace fovea::ops {

Result<int> dft_axis(std::int64_t axis, int rank) {
  if (rank < 2) return invalid_argument("input: expected rank 2 or more, found ", rank);
  FOVEA_ASSIGN(const int normal, normalize_axis(axis, rank));
  if (normal == rank - 1) return invalid_argument("axis ", axis, ": the last axis holds real and imaginary parts");
  return normal;
}

namespace {

using Line = std::vector<std::complex<double>>;

template <class T>
void transform_lines(const DftParams& params, const Fft& fft, const Tensor& x, int axis, const Shape& shape, T* y) {
  const std::int64_t parts = x.dim(x.rank() - 1), numbers = params.numbers_out(), length = fft.length();
  std::int64_t outer = 1, inner = 1;
  for (int i = 0; i < axis; ++i) outer *= x.dim(i);
  for (int i = axis + 1; i < x.rank() - 1; ++i) inner *= x.dim(i);
  // One-sided input is the spectrum of a real signal: bin length - n is the conjugate of bin n.
  const bool mirrored = params.inverse && params.onesided;
  const std::int64_t used = std::min(x.dim(axis), mirrored ? length / 2 + 1 : length);
  Line line(static_cast<std::size_t>(length)), result(line.size());
  for (std::int64_t at = 0; at < outer * inner; ++at) {
    const std::int64_t o = at / inner, i = at % inner;
    std::fill(line.begin(), line.end(), 0.0);
    for (std::int64_t n = 0; n < used; ++n) {
      const T* const value = x.data<T>() + ((o * x.dim(axis) + n) * inner + i) * parts;
      const std::complex<double> bin(static_cast<double>(value[0]), parts == 2 ? static_cast<double>(value[1]) : 0.0);
      line[static_cast<std::size_t>(n)] = bin;
      if (mirrored && n > 0 && 2 * n < length) line[static_cast<std::size_t>(length - n)] = std::conj(bin);
    }
    fft.run(line.data(), result.data());
    for (std::int64_t k = 0; k < shape[axis]; ++k) {
      T* const value = y + ((o * shape[axis] + k) * inner + i) * numbers;
      value[0] = static_cast<T>(result[static_cast<std::size_t>(k)].real());
      if (numbers == 2) value[1] = static_cast<T>(result[static_cast<std::size_t>(k)].imag());
    }
  }
}

}  // namespace

Status dft_reference(KernelContext& context) {
  const Tensor& input = context.input(0);
  const DftParams params = DftParams::parse(context.attributes());
  std::int64_t raw_axis = -2;
  if (context.has_input(2)) {
    FOVEA_ASSIGN(raw_axis, int_value(context.input(2), "axis"));
  }
  FOVEA_ASSIGN(const int axis, dft_axis(raw_axis, input.rank()));
  const std::int64_t parts = input.dim(input.rank() - 1);
  if (parts != 1 && parts != 2) return invalid_argument("input: expected 1 or 2 numbers on the last axis, found ", parts);
  if (params.onesided && parts != (params.inverse ? 2 : 1)) {
    return invalid_argument("onesided: needs ", params.inverse ? "complex" : "real", " input, found ", parts, " numbers on the last axis");
  }
  std::int64_t length = params.inverse && params.onesided ? 2 * (input.dim(axis) - 1) : input.dim(axis);
  if (context.has_input(1)) {
    FOVEA_ASSIGN(length, int_value(context.input(1), "dft_length"));
  }
  FOVEA_ASSIGN(const Fft fft, Fft::create(length, params.inverse));
  Shape shape = input.shape();
  shape[axis] = params.onesided && !params.inverse ? length / 2 + 1 : length;
  shape[input.rank() - 1] = params.numbers_out();
  FOVEA_ASSIGN(const Tensor x, widened(input));
  FOVEA_ASSIGN(WideOutput y, WideOutput::create(context, 0, input.type(), shape));
  FOVEA_RETURN_IF_ERROR((dispatch<float, double>(x.type(), "DFT", [&](auto tag) -> Status {
    using T = typename decltype(tag)::type;
    transform_lines(params, fft, x, axis, shape, y.data<T>());
    return {};
  })));
  return y.finish();
}

}  // namespace fovea::ops
