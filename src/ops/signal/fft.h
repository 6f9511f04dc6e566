// SPDX-License-Identifier: Apache-2.0
// Discrete Fourier transform of any length by splitting off prime factors: O(n * sum of factors).
#pragma once

#include <complex>
#include <cstdint>
#include <vector>

#include "base/check.h"

namespace fovea::ops {

class Fft {
 public:
  /// Length 1 to 2^24 without prime factors above 8192, which would take quadratic time.
  static Result<Fft> create(std::int64_t length, bool inverse);

  std::int64_t length() const { return static_cast<std::int64_t>(roots_.size()); }
  /// dst[k] = sum of src[n] * exp(-+ 2 pi i n k / length), divided by the length when inverse. No overlap.
  void run(const std::complex<double>* src, std::complex<double>* dst) const;

 private:
  void transform(const std::complex<double>* src, std::size_t stride, std::complex<double>* dst, std::size_t n) const;

  std::vector<std::complex<double>> roots_;  // exp(-+ 2 pi i k / length)
  bool inverse_ = false;
};

}  // namespace fovea::ops
