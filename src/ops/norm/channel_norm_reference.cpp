// SPDX-License-Identifier: Apache-2.0
// BatchNormalization, LRN, LpNormalization, MeanVarianceNormalization, in f64.
#include <algorithm>
#include <cmath>

#include "ops/elementwise/broadcast.h"
#include "ops/reduce/reduce_axes.h"
#include "ops/wide.h"

namespace fovea::ops {

namespace {

/// Samples, channels and positions of x; rank 1 counts as one channel, as in ONNX.
struct Channels {
  std::int64_t n = 1, c = 1, positions = 1;
  explicit Channels(const Shape& shape) {
    if (shape.rank() > 0) n = shape[0];
    if (shape.rank() > 1) c = shape[1];
    for (int axis = 2; axis < shape.rank(); ++axis) positions *= shape[axis];
  }
  std::int64_t start(std::int64_t sample, std::int64_t channel) const { return (sample * c + channel) * positions; }
};

}  // namespace

Status batch_normalization_reference(KernelContext& context) {
  FOVEA_ASSIGN(const Tensor x, widen(context, 0));
  const Channels s(x.shape());
  for (int i = 1; i < 5; ++i) {
    if (context.input(i).elements() != s.c) {
      return invalid_argument("BatchNormalization: input ", i, ": expected ", s.c, " elements, found ", context.input(i).shape().to_string());
    }
  }
  FOVEA_ASSIGN(const Tensor scale, widen(context, 1));
  FOVEA_ASSIGN(const Tensor bias, widen(context, 2));
  FOVEA_ASSIGN(Tensor mean, widen(context, 3));
  FOVEA_ASSIGN(Tensor variance, widen(context, 4));
  if (context.attributes().get_int("training_mode", 0) != 0) {
    // Statistics of this batch normalise it; the running ones are blended and returned.
    const double momentum = context.attributes().get_float("momentum", 0.9f);
    const double count = static_cast<double>(s.n * s.positions);
    FOVEA_ASSIGN(Tensor running_mean, mean.clone());
    FOVEA_ASSIGN(Tensor running_variance, variance.clone());
    FOVEA_ASSIGN(mean, mean.clone());
    FOVEA_ASSIGN(variance, variance.clone());
    for (std::int64_t c = 0; c < s.c; ++c) {
      double sum = 0, squares = 0;
      for (std::int64_t n = 0; n < s.n; ++n) {
        for (std::int64_t i = 0; i < s.positions; ++i) sum += x.data<double>()[s.start(n, c) + i];
      }
      const double average = sum / count;
      for (std::int64_t n = 0; n < s.n; ++n) {
        for (std::int64_t i = 0; i < s.positions; ++i) {
          const double d = x.data<double>()[s.start(n, c) + i] - average;
          squares += d * d;
        }
      }
      mean.data<double>()[c] = average;
      variance.data<double>()[c] = squares / count;
      running_mean.data<double>()[c] = running_mean.data<double>()[c] * momentum + average * (1 - momentum);
      running_variance.data<double>()[c] = running_variance.data<double>()[c] * momentum + squares / count * (1 - momentum);
    }
    if (context.num_outputs() > 1) FOVEA_RETURN_IF_ERROR(store(context, 1, context.input(3).type(), running_mean));
    if (context.num_outputs() > 2) FOVEA_RETURN_IF_ERROR(store(context, 2, context.input(4).type(), running_variance));
  } else if (context.num_outputs() > 1) {
    return invalid_argument("BatchNormalization: running statistics are outputs of training_mode only");
  }
  const double epsilon = context.attributes().get_float("epsilon", 1e-5f);
  FOVEA_ASSIGN(Tensor y, Tensor::allocate(DataType::f64, x.shape()));
  for (std::int64_t n = 0; n < s.n; ++n) {
    for (std::int64_t c = 0; c < s.c; ++c) {
      const double factor = scale.data<double>()[c] / std::sqrt(variance.data<double>()[c] + epsilon);
      for (std::int64_t i = 0; i < s.positions; ++i) {
        const std::int64_t at = s.start(n, c) + i;
        y.data<double>()[at] = (x.data<double>()[at] - mean.data<double>()[c]) * factor + bias.data<double>()[c];
      }
    }
  }
  return store(context, 0, context.input(0).type(), y);
}

Status lrn_reference(KernelContext& context) {
  FOVEA_ASSIGN(const Tensor x, widen(context, 0));
  if (x.rank() < 2) return invalid_argument("LRN: expected rank >= 2, found ", x.shape().to_string());
  const std::int64_t size = context.attributes().get_int("size");
  if (size < 1) return invalid_argument("LRN: size must be at least 1, found ", size);
  const double alpha = context.attributes().get_float("alpha", 1e-4f), beta = context.attributes().get_float("beta", 0.75);
  const double bias = context.attributes().get_float("bias", 1);
  const Channels s(x.shape());
  FOVEA_ASSIGN(Tensor y, Tensor::allocate(DataType::f64, x.shape()));
  for (std::int64_t n = 0; n < s.n; ++n) {
    for (std::int64_t c = 0; c < s.c; ++c) {
      // Channels c - floor((size-1)/2) .. c + ceil((size-1)/2), clipped.
      const std::int64_t first = std::max<std::int64_t>(0, c - (size - 1) / 2), last = std::min(s.c - 1, c + size / 2);
      for (std::int64_t i = 0; i < s.positions; ++i) {
        double squares = 0;
        for (std::int64_t k = first; k <= last; ++k) squares += std::pow(x.data<double>()[s.start(n, k) + i], 2);
        y.data<double>()[s.start(n, c) + i] = x.data<double>()[s.start(n, c) + i] / std::pow(bias + alpha / static_cast<double>(size) * squares, beta);
      }
    }
  }
  return store(context, 0, context.input(0).type(), y);
}

Status lp_normalization_reference(KernelContext& context) {
  FOVEA_ASSIGN(const Tensor x, widen(context, 0));
  const std::int64_t p = context.attributes().get_int("p", 2);
  if (p != 1 && p != 2) return invalid_argument("LpNormalization: p must be 1 or 2, found ", p);
  FOVEA_ASSIGN(const AxisSplit split, split_at("LpNormalization", x.shape(), context.attributes().get_int("axis", -1)));
  FOVEA_ASSIGN(Tensor y, Tensor::allocate(DataType::f64, x.shape()));
  for (std::int64_t o = 0; o < split.outer; ++o) {
    for (std::int64_t i = 0; i < split.inner; ++i) {
      const std::int64_t start = o * split.extent * split.inner + i;
      double norm = 0;
      for (std::int64_t k = 0; k < split.extent; ++k) {
        const double value = x.data<double>()[start + k * split.inner];
        norm += p == 1 ? std::abs(value) : value * value;
      }
      if (p == 2) norm = std::sqrt(norm);
      // A row of zeros stays zero.
      for (std::int64_t k = 0; k < split.extent; ++k) y.data<double>()[start + k * split.inner] = norm == 0 ? 0 : x.data<double>()[start + k * split.inner] / norm;
    }
  }
  return store(context, 0, context.input(0).type(), y);
}

Status mean_variance_normalization_reference(KernelContext& context) {
  FOVEA_ASSIGN(const Tensor x, widen(context, 0));
  FOVEA_ASSIGN(const AxisSet set, reduced_axes(context.op(), context.attributes().get_ints("axes", {0, 2, 3}), true, x.rank()));
  const Shape kept = reduced_shape(x.shape(), set, true);
  std::vector<double> sums(static_cast<std::size_t>(kept.elements())), squares(sums.size());
  const double count = sums.empty() ? 1 : static_cast<double>(x.elements()) / static_cast<double>(sums.size());
  const BroadcastLoop<1> loop(x.shape(), {&kept});
  FOVEA_ASSIGN(Tensor y, Tensor::allocate(DataType::f64, x.shape()));
  const auto each = [&](auto visit) {
    loop.for_each_row([&](std::int64_t at, const auto& offsets, const auto& strides, std::int64_t n) {
      for (std::int64_t i = 0; i < n; ++i) visit(at + i, static_cast<std::size_t>(offsets[0] + i * strides[0]));
    });
  };
  each([&](std::int64_t at, std::size_t group) { sums[group] += x.data<double>()[at]; });
  each([&](std::int64_t at, std::size_t group) { squares[group] += std::pow(x.data<double>()[at] - sums[group] / count, 2); });
  // 1e-9 keeps constant input finite: the function body of ONNX has it.
  each([&](std::int64_t at, std::size_t group) {
    y.data<double>()[at] = (x.data<double>()[at] - sums[group] / count) / (std::sqrt(squares[group] / count) + 1e-9);
  });
  return store(context, 0, context.input(0).type(), y);
}

}  // namespace fovea::ops
