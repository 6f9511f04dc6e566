// SPDX-License-Identifier: Apache-2.0
// Recursive mixed-radix transform. For n = p * m: p transforms of every p-th element, then
//   dst[k] = sum over q < p of root_n^(q k) * part_q[k mod m]
#include "ops/signal/fft.h"

#include <cmath>
#include <numbers>

namespace fovea::ops {

namespace {

constexpr std::int64_t kMaxLength = 1 << 24;
constexpr std::size_t kMaxFactor = 8192;

std::size_t smallest_factor(std::size_t n) {
  for (std::size_t p = 2; p * p <= n; ++p) {
    if (n % p == 0) return p;
  }
  return n;
}

}  // namespace

Result<Fft> Fft::create(std::int64_t length, bool inverse) {
  if (length < 1 || length > kMaxLength) return invalid_argument("transform length: expected 1..", kMaxLength, ", found ", length);
  for (auto rest = static_cast<std::size_t>(length); rest > 1;) {
    const std::size_t factor = smallest_factor(rest);
    if (factor > kMaxFactor) return unsupported("transform length ", length, " has the prime factor ", factor, "; at most ", kMaxFactor, " is supported");
    rest /= factor;
  }
  Fft fft;
  fft.inverse_ = inverse;
  const double step = (inverse ? 2 : -2) * std::numbers::pi / static_cast<double>(length);
  for (std::int64_t k = 0; k < length; ++k) fft.roots_.push_back(std::polar(1.0, step * static_cast<double>(k)));
  return fft;
}

void Fft::run(const std::complex<double>* src, std::complex<double>* dst) const {
  transform(src, 1, dst, roots_.size());
  if (!inverse_) return;
  for (std::size_t k = 0; k < roots_.size(); ++k) dst[k] /= static_cast<double>(roots_.size());
}

void Fft::transform(const std::complex<double>* src, std::size_t stride, std::complex<double>* dst, std::size_t n) const {
  if (n == 1) {
    *dst = *src;
    return;
  }
  const std::size_t p = smallest_factor(n), m = n / p, step = roots_.size() / n;
  for (std::size_t q = 0; q < p; ++q) transform(src + q * stride, stride * p, dst + q * m, m);
  std::vector<std::complex<double>> parts(p);
  for (std::size_t k = 0; k < m; ++k) {
    for (std::size_t q = 0; q < p; ++q) parts[q] = dst[q * m + k];
    for (std::size_t r = 0; r < p; ++r) {
      std::complex<double> sum = parts[0];
      for (std::size_t q = 1; q < p; ++q) sum += parts[q] * roots_[q * (k + r * m) % n * step];
      dst[k + r * m] = sum;
    }
  }
}

}  // namespace fovea::ops
