// SPDX-License-Identifier: Apache-2.0
// The blocked products of the float references against plain loops: the same bits, whatever the shape and the threads.
#include <omp.h>

#include <gtest/gtest.h>

#include "ops/conv/wide_conv.h"
#include "support/op_test.h"

namespace fovea::ops {
namespace {

std::vector<float> numbers(std::int64_t count, std::uint64_t seed) {
  const Tensor tensor = testing::random(DataType::f32, {count}, -1, 1, seed);
  return {tensor.data<float>(), tensor.data<float>() + count};
}

TEST(WideProduct, HasTheBitsOfThePlainLoop) {
  for (const auto& [m, k, n] : {std::array<std::int64_t, 3>{1, 1, 1}, {5, 7, 9}, {200, 130, 300}, {6, 128, 256}, {13, 257, 31}, {3, 0, 4}, {193, 5, 257}}) {
    const std::vector<float> a = numbers(2 * m * k + 1, 1), b = numbers(2 * k * n + 1, 2);
    for (const int threads : {1, 3}) {
      omp_set_num_threads(threads);
      std::vector<double> y(static_cast<std::size_t>(2 * m * n), -1);
      wide_product(
          {2, m, k, n},
          [&](std::int64_t batch, std::int64_t i, std::int64_t p, std::int64_t count, double* dst) { std::copy_n(a.data() + (batch * m + i) * k + p, count, dst); },
          [&](std::int64_t batch, std::int64_t p, std::int64_t j, std::int64_t count, double* dst) { std::copy_n(b.data() + (batch * k + p) * n + j, count, dst); },
          [&](std::int64_t batch, std::int64_t i, std::int64_t j, std::int64_t count, const double* sums) { std::copy_n(sums, count, y.data() + (batch * m + i) * n + j); });
      for (std::int64_t e = 0; e < 2 * m * n; ++e) {
        double sum = 0;
        for (std::int64_t p = 0; p < k; ++p) {
          sum += static_cast<double>(a[static_cast<std::size_t>(e / n * k + p)]) * static_cast<double>(b[static_cast<std::size_t>((e / (m * n) * k + p) * n + e % n)]);
        }
        ASSERT_EQ(y[static_cast<std::size_t>(e)], sum) << m << " " << k << " " << n << " element " << e;
      }
    }
  }
  omp_set_num_threads(2);
}

struct Window {
  std::int64_t ic, oc, group, size, kernel, stride, pad, dilation;
  int rank;
};

TEST(WideConv, HasTheBitsOfThePlainLoops) {
  for (const Window& w : {Window{8, 12, 1, 17, 3, 1, 1, 1, 2}, {6, 16, 2, 20, 3, 2, 1, 1, 2}, {5, 7, 1, 33, 1, 1, 0, 1, 2}, {4, 4, 1, 9, 3, 2, 2, 2, 2},
                          {3, 8, 1, 40, 7, 4, 3, 1, 2}, {4, 8, 1, 7, 3, 1, 1, 1, 3}, {8, 8, 8, 11, 3, 1, 1, 1, 2}, {4, 5, 1, 300, 5, 1, 2, 1, 1}}) {
    ConvGeometry geometry{2, w.ic, w.oc, w.group, {}};
    std::int64_t inputs = 1, taps = 1;
    for (int axis = 0; axis < w.rank; ++axis) {
      const std::int64_t output = (w.size + 2 * w.pad - (w.kernel - 1) * w.dilation - 1) / w.stride + 1;
      geometry.axes.push_back({w.size, w.kernel, w.stride, w.dilation, w.pad, w.pad, output});
      inputs *= w.size;
      taps *= w.kernel;
    }
    const std::vector<float> x = numbers(2 * w.ic * inputs, 3);
    for (const bool infinite : {false, true}) {
      std::vector<float> weights = numbers(w.oc * w.ic / w.group * taps, 4);
      if (infinite) weights[1] = INFINITY;  // must not meet padding
      const std::int64_t outputs = geometry.output_shape().elements();
      std::vector<double> fast(static_cast<std::size_t>(outputs)), plain(static_cast<std::size_t>(outputs));
      const auto into = [](std::vector<double>& y) {
        return [&y](std::int64_t, std::int64_t at, const double* row, std::int64_t count) { std::copy_n(row, count, y.data() + at); };
      };
      convolve_wide(geometry, x.data(), weights.data(), into(fast));
      convolve<double>(geometry, x.data(), weights.data(), into(plain));
      for (std::size_t e = 0; e < fast.size(); ++e) {
        ASSERT_TRUE(fast[e] == plain[e] || (std::isnan(fast[e]) && std::isnan(plain[e]))) << "kernel " << w.kernel << " rank " << w.rank << " element " << e;
      }
    }
  }
}

}  // namespace
}  // namespace fovea::ops
