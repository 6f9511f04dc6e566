// SPDX-License-Identifier: Apache-2.0
// Softmax: y = exp(x - max) / sum(exp(x - max)); LogSoftmax: y = x - max - log(sum(exp(x - max)));
// Hardmax: 1 at the first maximum. Along one axis, in f64.
#include <cmath>

#include "ops/wide.h"

namespace fovea::ops {

namespace {

/// row(x, y, count, stride) for each line along the axis.
template <class Row>
Status along_axis(KernelContext& context, Row row) {
  FOVEA_ASSIGN(const Tensor x, widen(context, 0));
  FOVEA_ASSIGN(const AxisSplit split, split_at(context.op(), x.shape(), context.attributes().get_int("axis", -1)));
  FOVEA_ASSIGN(Tensor y, Tensor::allocate(DataType::f64, x.shape()));
  if (x.elements() > 0) {
    for (std::int64_t o = 0; o < split.outer; ++o) {
      for (std::int64_t i = 0; i < split.inner; ++i) {
        const std::int64_t start = o * split.extent * split.inner + i;
        row(x.data<double>() + start, y.data<double>() + start, split.extent, split.inner);
      }
    }
  }
  return store(context, 0, context.input(0).type(), y);
}

std::int64_t first_maximum(const double* x, std::int64_t count, std::int64_t stride) {
  std::int64_t best = 0;
  for (std::int64_t k = 1; k < count; ++k) {
    if (x[k * stride] > x[best * stride]) best = k;
  }
  return best;
}

}  // namespace

Status softmax_reference(KernelContext& context) {
  return along_axis(context, [](const double* x, double* y, std::int64_t count, std::int64_t stride) {
    const double largest = x[first_maximum(x, count, stride) * stride];
    double sum = 0;
    for (std::int64_t k = 0; k < count; ++k) sum += y[k * stride] = std::exp(x[k * stride] - largest);
    for (std::int64_t k = 0; k < count; ++k) y[k * stride] /= sum;
  });
}

Status log_softmax_reference(KernelContext& context) {
  return along_axis(context, [](const double* x, double* y, std::int64_t count, std::int64_t stride) {
    const double largest = x[first_maximum(x, count, stride) * stride];
    double sum = 0;
    for (std::int64_t k = 0; k < count; ++k) sum += std::exp(x[k * stride] - largest);
    for (std::int64_t k = 0; k < count; ++k) y[k * stride] = x[k * stride] - largest - std::log(sum);
  });
}

Status hardmax_reference(KernelContext& context) {
  return along_axis(context, [](const double* x, double* y, std::int64_t count, std::int64_t stride) {
    for (std::int64_t k = 0; k < count; ++k) y[k * stride] = 0;
    y[first_maximum(x, count, stride) * stride] = 1;
  });
}

}  // namespace fovea::ops
