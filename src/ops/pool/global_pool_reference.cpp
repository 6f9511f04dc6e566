// SPDX-License-Identifier: Apache-2.0
// GlobalAveragePool, GlobalMaxPool, GlobalLpPool: one number per batch and channel; sums in f64, NaN stays NaN.
#include <cmath>
#include <limits>

#include "base/element_types.h"
#include "ops/widen.h"

namespace fovea::ops {

namespace {

/// y[n, c] = reduce(first, count) over the spatial elements of x[n, c].
template <class Reduce>
Status pool_globally(KernelContext& context, const Reduce& reduce) {
  const Tensor& input = context.input(0);
  if (input.rank() < 2) return invalid_argument("input 0: expected rank 2 or more, found ", input.shape().to_string());
  Shape shape = input.shape();
  for (int i = 2; i < shape.rank(); ++i) shape[i] = 1;
  const std::int64_t planes = shape[0] * shape[1];
  const std::int64_t count = planes > 0 ? input.elements() / planes : 0;
  FOVEA_ASSIGN(const Tensor x, widened(input));
  FOVEA_ASSIGN(WideOutput y, WideOutput::create(context, 0, input.type(), shape));
  FOVEA_RETURN_IF_ERROR((dispatch<float, double>(x.type(), context.op(), [&](auto tag) -> Status {
    using T = typename decltype(tag)::type;
    for (std::int64_t plane = 0; plane < planes; ++plane) {
      y.data<T>()[plane] = static_cast<T>(reduce(x.data<T>() + plane * count, count));
    }
    return {};
  })));
  return y.finish();
}

}  // namespace

Status global_average_pool_reference(KernelContext& context) {
  return pool_globally(context, [](const auto* values, std::int64_t count) {
    double sum = 0;
    for (std::int64_t i = 0; i < count; ++i) sum += static_cast<double>(values[i]);
    return sum / static_cast<double>(count);
  });
}

Status global_max_pool_reference(KernelContext& context) {
  return pool_globally(context, [](const auto* values, std::int64_t count) {
    double best = -std::numeric_limits<double>::infinity();
    for (std::int64_t i = 0; i < count && !std::isnan(best); ++i) {
      const double value = static_cast<double>(values[i]);
      if (!(value <= best)) best = value;
    }
    return best;
  });
}

Status global_lp_pool_reference(KernelContext& context) {
  const std::int64_t p = context.attributes().get_int("p", 2);
  if (p < 1) return invalid_model("p: expected a positive number, found ", p);
  return pool_globally(context, [p = static_cast<double>(p)](const auto* values, std::int64_t count) {
    double sum = 0;
    for (std::int64_t i = 0; i < count; ++i) sum += std::pow(std::abs(static_cast<double>(values[i])), p);
    return std::pow(sum, 1.0 / p);
  });
}

}  // namespace fovea::ops
