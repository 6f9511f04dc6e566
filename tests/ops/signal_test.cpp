// SPDX-License-Identifier: Apache-2.0
// Fourier transforms against the definition, for lengths with all kinds of factors; windows and their ends.
#include <cmath>
#include <complex>
#include <numbers>

#include "ops/signal/fft.h"
#include "support/op_test.h"

namespace fovea::testing {
namespace {


TEST(Fft, EqualsTheDefinition) {
  for (std::int64_t n = 1; n <= 64; ++n) {
    std::vector<std::complex<double>> x, y(static_cast<std::size_t>(n)), back(y.size());
    for (std::int64_t i = 0; i < n; ++i) x.emplace_back(std::sin(static_cast<double>(i * i)), std::cos(static_cast<double>(3 * i)));
    ops::Fft::create(n, false).value().run(x.data(), y.data());
    ops::Fft::create(n, true).value().run(y.data(), back.data());
    for (std::size_t k = 0; k < x.size(); ++k) {
      std::complex<double> sum = 0;
      for (std::size_t i = 0; i < x.size(); ++i) sum += x[i] * std::polar(1.0, -2 * std::numbers::pi * static_cast<double>(i * k) / static_cast<double>(n));
      EXPECT_NEAR(std::abs(y[k] - sum), 0, 1e-11) << "length " << n;
      EXPECT_NEAR(std::abs(back[k] - x[k]), 0, 1e-12) << "length " << n;
    }
  }
  EXPECT_FALSE(ops::Fft::create(0, false).ok());
  EXPECT_FALSE(ops::Fft::create(std::int64_t{1} << 40, false).ok());
  EXPECT_FALSE(ops::Fft::create(8209, false).ok());  // a prime
}

TEST(Dft, OneSidedThereAndBackOnAnyAxisAndLength) {
  for (const std::int64_t length : {5, 8, 12}) {
    const Tensor x = random(DataType::f64, {2, length, 3, 1});
    const Tensor spectrum = run_op1("DFT", {x, {}, ints({1}).reshaped({})}, attributes({{"onesided", 1}}));
    EXPECT_EQ(spectrum.shape().to_string(), str_cat("2x", length / 2 + 1, "x3x2"));
    const Tensor back = run_op1("DFT", {spectrum, ints({length}).reshaped({}), ints({-3}).reshaped({})}, attributes({{"onesided", 1}, {"inverse", 1}}));
    EXPECT_TRUE(close(back, x, {1e-9, 1e-12}));
  }
}

TEST(Dft, LengthCutsOrPads) {
  const Tensor x = tensor<float>({1, 3, 1}, {1, 2, 4});
  const auto bins = [&](std::int64_t length) { return run_op1("DFT", {x, ints({length}).reshaped({})}); };
  EXPECT_TRUE(close(bins(2), tensor<float>({1, 2, 2}, {3, 0, -1, 0}), {1e-5, 1e-6}));
  EXPECT_TRUE(close(bins(4), tensor<float>({1, 4, 2}, {7, 0, -3, -2, 3, 0, -3, 2}), {1e-5, 1e-6}));
}

TEST(Dft, ShapesAndErrors) {
  const auto axis = FakeInferContext::constant(ints({1}).reshaped({}));
  EXPECT_EQ(infer_text("DFT", {symbolic(DataType::f32, "NxLx1"), FakeInferContext::missing(), axis}, attributes({{"onesided", 1}})), "f32 Nx(floordiv(L,2)+1)x2");
  EXPECT_EQ(infer_text("DFT", {symbolic(DataType::f32, "NxLx2"), FakeInferContext::missing(), axis}, attributes({{"onesided", 1}, {"inverse", 1}})), "f32 Nx(2*L-2)x1");
  const Tensor x = random(DataType::f32, {1, 4, 2});
  EXPECT_TRUE(fails(run_op("DFT", {x, {}, ints({2}).reshaped({})}), ErrorCode::InvalidArgument, "last axis"));
  EXPECT_TRUE(fails(run_op("DFT", {x, {}, ints({5}).reshaped({})}), ErrorCode::InvalidArgument, "axis 5"));
  EXPECT_TRUE(fails(run_op("DFT", {x, ints({-4}).reshaped({})}), ErrorCode::InvalidArgument, "-4"));
  EXPECT_TRUE(fails(run_op("DFT", {x}, attributes({{"onesided", 1}})), ErrorCode::InvalidArgument, "onesided"));
  EXPECT_TRUE(fails(run_op("DFT", {random(DataType::f32, {1, 4, 3})}), ErrorCode::InvalidArgument, "1 or 2"));
}

TEST(Stft, FramesOfASignal) {
  const Tensor x = tensor<float>({1, 5, 1}, {1, 2, 3, 4, 5});
  const Tensor y = run_op1("STFT", {x, ints({2}).reshaped({}), tensor<float>({2}, {1, 10})});
  EXPECT_TRUE(close(y, tensor<float>({1, 2, 2, 2}, {21, 0, -19, 0, 43, 0, -37, 0}), {1e-5, 1e-5}));
  EXPECT_TRUE(fails(run_op("STFT", {x, ints({0}).reshaped({}), tensor<float>({2}, {1, 1})}), ErrorCode::InvalidArgument, "frame_step"));
  EXPECT_TRUE(fails(run_op("STFT", {x, ints({1}).reshaped({}), {}, ints({6}).reshaped({})}), ErrorCode::InvalidArgument, "frame_length"));
}

TEST(Windows, EndsAndSizes) {
  const Tensor size = ints({3}).reshaped({});
  EXPECT_TRUE(close(run_op1("HannWindow", {size}, attributes({{"periodic", 0}})), tensor<float>({3}, {0, 1, 0}), {1e-6, 1e-6}));
  EXPECT_TRUE(close(run_op1("HammingWindow", {size}), tensor<float>({3}, {4.0 / 46, 35.5 / 46, 35.5 / 46}), {1e-6, 1e-6}));
  EXPECT_TRUE(close(run_op1("BlackmanWindow", {size}, attributes({{"periodic", 0}, {"output_datatype", 11}})), tensor<double>({3}, {0, 1, 0}), {1e-9, 1e-9}));
  EXPECT_TRUE(same(run_op1("HannWindow", {ints({1}).reshaped({})}, attributes({{"periodic", 0}})), tensor<float>({1}, {1})));
  EXPECT_EQ(run_op1("HannWindow", {ints({0}).reshaped({})}).elements(), 0);
  EXPECT_TRUE(fails(run_op("HannWindow", {ints({-1}).reshaped({})}), ErrorCode::InvalidArgument, "size"));
  EXPECT_TRUE(fails(run_op("HannWindow", {size}, attributes({{"output_datatype", 8}})), ErrorCode::InvalidModel, "output_datatype"));
}

TEST(MelWeightMatrix, RefusesNonsense) {
  const auto run = [](std::int64_t bands, std::int64_t length, std::int64_t rate, double low, double high) {
    return run_op("MelWeightMatrix", {ints({bands}).reshaped({}), ints({length}).reshaped({}), ints({rate}).reshaped({}), scalar(low), scalar(high)});
  };
  EXPECT_TRUE(run(8, 16, 8192, 0, 4096).ok());
  EXPECT_TRUE(fails(run(8, 16, 0, 0, 4096), ErrorCode::InvalidArgument, "sample_rate"));
  EXPECT_TRUE(fails(run(-8, 16, 8192, 0, 4096), ErrorCode::InvalidArgument, "num_mel_bins"));
  EXPECT_TRUE(fails(run(8, 16, 8192, 0, 1e9), ErrorCode::InvalidArgument, "upper_edge_hertz"));
  EXPECT_TRUE(fails(run(8, 16, 8192, -900, 4096), ErrorCode::InvalidArgument, "lower_edge_hertz"));
}

}  // namespace
}  // namespace fovea::testing
