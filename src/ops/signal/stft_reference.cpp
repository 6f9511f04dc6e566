// SPDX-License-Identifier: Apache-2.0
// STFT: y[n, f] = DFT(window * signal[n, f * step .. f * step + frame length - 1]).
#include "base/checked_math.h"
#include "base/element_types.h"
#include "ops/axis.h"
#include "ops/signal/fft.h"
#include "ops/widen.h"

namespace fovea::ops {

namespace {

Result<std::int64_t> frame_length(KernelContext& context, std::int64_t signal_length) {
  const bool has_window = context.has_input(2);
  if (has_window && context.input(2).rank() != 1) return invalid_argument("window: expected rank 1, found ", context.input(2).shape().to_string());
  std::int64_t length = has_window ? context.input(2).dim(0) : signal_length;
  if (context.has_input(3)) {
    FOVEA_ASSIGN(length, int_value(context.input(3), "frame_length"));
  }
  if (length < 1 || length > signal_length) return invalid_argument("frame_length: expected 1..", signal_length, " (the signal), found ", length);
  if (has_window && context.input(2).dim(0) != length) {
    return invalid_argument("window: expected ", length, " numbers like frame_length, found ", context.input(2).dim(0));
  }
  return length;
}

}  // namespace

Status stft_reference(KernelContext& context) {
  const Tensor& input = context.input(0);
  if (input.rank() != 3 || (input.dim(2) != 1 && input.dim(2) != 2)) {
    return invalid_argument("signal: expected [batch, length, 1 or 2], found ", input.shape().to_string());
  }
  const std::int64_t batch = input.dim(0), parts = input.dim(2);
  const bool onesided = context.attributes().get_int("onesided", 1) != 0;
  if (onesided && parts == 2) return invalid_argument("onesided: needs a real signal, found a complex one");
  FOVEA_ASSIGN(const std::int64_t step, int_value(context.input(1), "frame_step"));
  if (step < 1) return invalid_argument("frame_step: expected 1 or more, found ", step);
  FOVEA_ASSIGN(const std::int64_t length, frame_length(context, input.dim(1)));
  FOVEA_ASSIGN(const Fft fft, Fft::create(length, false));
  const std::int64_t frames = (input.dim(1) - length) / step + 1, bins = onesided ? length / 2 + 1 : length;
  FOVEA_ASSIGN(const Tensor x, widened(input));
  Tensor window;
  if (context.has_input(2)) {
    FOVEA_ASSIGN(window, widened(context.input(2)));
    if (window.type() != x.type()) return invalid_argument("window: expected ", name(x.type()), " like the signal, found ", name(window.type()));
  }
  FOVEA_ASSIGN(WideOutput y, WideOutput::create(context, 0, input.type(), {batch, frames, bins, 2}));
  FOVEA_RETURN_IF_ERROR((dispatch<float, double>(x.type(), "STFT", [&](auto tag) -> Status {
    using T = typename decltype(tag)::type;
    std::vector<std::complex<double>> frame(static_cast<std::size_t>(length)), spectrum(frame.size());
    T* dst = y.data<T>();
    for (std::int64_t at = 0; at < batch * frames; ++at) {
      const T* const src = x.data<T>() + (at / frames * x.dim(1) + at % frames * step) * parts;
      for (std::int64_t i = 0; i < length; ++i) {
        const double weight = window.defined() ? static_cast<double>(window.data<T>()[i]) : 1.0;
        const double imaginary = parts == 2 ? static_cast<double>(src[i * parts + 1]) : 0.0;
        frame[static_cast<std::size_t>(i)] = {weight * static_cast<double>(src[i * parts]), weight * imaginary};
      }
      fft.run(frame.data(), spectrum.data());
      for (std::int64_t k = 0; k < bins; ++k) {
        *dst++ = static_cast<T>(spectrum[static_cast<std::size_t>(k)].real());
        *dst++ = static_cast<T>(spectrum[static_cast<std::size_t>(k)].imag());
      }
    }
    return {};
  })));
  return y.finish();
}

}  // namespace fovea::ops
