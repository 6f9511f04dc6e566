// SPDX-License-Identifier: Apache-2.0
// Normalisations over contiguous rows: LayerNormalization, RMSNormalization, InstanceNormalization,
// GroupNormalization. Mean and variance in two passes, in f64.
#include <algorithm>
#include <cmath>

#include "ops/elementwise/broadcast.h"
#include "ops/wide.h"

namespace fovea::ops {

namespace {

struct Moments {
  double mean = 0, variance = 0;
};

Moments moments(const double* x, std::int64_t count) {
  Moments m;
  for (std::int64_t i = 0; i < count; ++i) m.mean += x[i];
  m.mean /= static_cast<double>(count);
  for (std::int64_t i = 0; i < count; ++i) m.variance += (x[i] - m.mean) * (x[i] - m.mean);
  m.variance /= static_cast<double>(count);
  return m;
}

Status expect_extent(const KernelContext& context, int input, std::int64_t count) {
  if (context.input(input).elements() == count) return {};
  return invalid_argument(context.op(), ": input ", input, ": expected ", count, " elements, found ", context.input(input).shape().to_string());
}

/// y = y * scale + bias with scale and bias broadcast to the shape of y (LayerNormalization, RMSNormalization).
Status scale_and_shift(KernelContext& context, Tensor& y, bool has_bias) {
  FOVEA_ASSIGN(const Tensor scale, widen(context, 1));
  Tensor bias;
  if (has_bias) {
    FOVEA_ASSIGN(bias, widen(context, 2));
  }
  const Shape one;
  const Shape& bias_shape = has_bias ? bias.shape() : one;
  if (!broadcasts_to(scale.shape(), y.shape()) || !broadcasts_to(bias_shape, y.shape())) {
    return invalid_argument(context.op(), ": scale ", scale.shape().to_string(), " or bias does not broadcast to ", y.shape().to_string());
  }
  const BroadcastLoop<2> loop(y.shape(), {&scale.shape(), &bias_shape});
  const double zero = 0;
  const double* shift = has_bias ? bias.data<double>() : &zero;
  loop.for_each_row([&](std::int64_t at, const auto& offsets, const auto& strides, std::int64_t count) {
    for (std::int64_t i = 0; i < count; ++i) {
      double& value = y.data<double>()[at + i];
      value = value * scale.data<double>()[offsets[0] + i * strides[0]] + shift[offsets[1] + i * strides[1]];
    }
  });
  return {};
}

/// Rows from `axis` to the end; `center` subtracts the mean (LayerNormalization) or not (RMSNormalization).
Status normalize_rows(KernelContext& context, bool center) {
  FOVEA_ASSIGN(const Tensor x, widen(context, 0));
  const double epsilon = context.attributes().get_float("epsilon", 1e-5f);
  FOVEA_ASSIGN(const AxisSplit split, split_at(context.op(), x.shape(), context.attributes().get_int("axis", -1)));
  const std::int64_t count = split.extent * split.inner;
  FOVEA_ASSIGN(Tensor y, Tensor::allocate(DataType::f64, x.shape()));
  Shape statistics = x.shape();
  const std::int64_t first = context.attributes().get_int("axis", -1);
  for (std::int64_t axis = first < 0 ? first + x.rank() : first; axis < x.rank(); ++axis) statistics[static_cast<int>(axis)] = 1;
  FOVEA_ASSIGN(Tensor means, Tensor::allocate(DataType::f64, statistics));
  FOVEA_ASSIGN(Tensor inverses, Tensor::allocate(DataType::f64, statistics));
  for (std::int64_t row = 0; row < split.outer && count > 0; ++row) {
    const double* in = x.data<double>() + row * count;
    Moments m = moments(in, count);
    if (!center) m = {0, m.variance + m.mean * m.mean};
    const double inverse = 1 / std::sqrt(m.variance + epsilon);
    for (std::int64_t i = 0; i < count; ++i) y.data<double>()[row * count + i] = (in[i] - m.mean) * inverse;
    means.data<double>()[row] = m.mean;
    inverses.data<double>()[row] = inverse;
  }
  FOVEA_RETURN_IF_ERROR(scale_and_shift(context, y, center && context.has_input(2)));
  FOVEA_RETURN_IF_ERROR(store(context, 0, center ? context.input(0).type() : context.input(1).type(), y));
  const DataType stash = context.attributes().get_int("stash_type", 1) == 16 ? DataType::bf16 : DataType::f32;
  if (context.num_outputs() > 1) FOVEA_RETURN_IF_ERROR(store(context, 1, stash, means));
  if (context.num_outputs() > 2) FOVEA_RETURN_IF_ERROR(store(context, 2, stash, inverses));
  return {};
}

/// `groups` rows per sample, scale and bias per channel.
Status normalize_groups(KernelContext& context, std::int64_t groups, const Tensor& x) {
  const std::int64_t samples = x.dim(0), channels = x.dim(1);
  const std::int64_t positions = samples * channels == 0 ? 0 : x.elements() / (samples * channels);
  FOVEA_RETURN_IF_ERROR(expect_extent(context, 1, channels));
  FOVEA_RETURN_IF_ERROR(expect_extent(context, 2, channels));
  FOVEA_ASSIGN(const Tensor scale, widen(context, 1));
  FOVEA_ASSIGN(const Tensor bias, widen(context, 2));
  FOVEA_ASSIGN(Tensor y, Tensor::allocate(DataType::f64, x.shape()));
  const double epsilon = context.attributes().get_float("epsilon", 1e-5f);
  const std::int64_t per_group = groups == 0 ? 0 : channels / groups;
  for (std::int64_t row = 0; row < samples * groups && positions > 0; ++row) {
    const std::int64_t start = row * per_group * positions;
    const Moments m = moments(x.data<double>() + start, per_group * positions);
    const double inverse = 1 / std::sqrt(m.variance + epsilon);
    for (std::int64_t i = 0; i < per_group * positions; ++i) {
      const std::int64_t channel = row % groups * per_group + i / positions;
      y.data<double>()[start + i] = (x.data<double>()[start + i] - m.mean) * inverse * scale.data<double>()[channel] + bias.data<double>()[channel];
    }
  }
  return store(context, 0, context.input(0).type(), y);
}

Status expect_channels(const KernelContext& context) {
  if (context.input(0).rank() >= 2) return {};
  return invalid_argument(context.op(), ": expected rank >= 2, found ", context.input(0).shape().to_string());
}

}  // namespace

Status layer_normalization_reference(KernelContext& context) { return normalize_rows(context, true); }
Status rms_normalization_reference(KernelContext& context) { return normalize_rows(context, false); }

Status instance_normalization_reference(KernelContext& context) {
  FOVEA_RETURN_IF_ERROR(expect_channels(context));
  FOVEA_ASSIGN(const Tensor x, widen(context, 0));
  return normalize_groups(context, x.dim(1), x);
}

Status group_normalization_reference(KernelContext& context) {
  FOVEA_RETURN_IF_ERROR(expect_channels(context));
  FOVEA_ASSIGN(const Tensor x, widen(context, 0));
  const std::int64_t groups = context.attributes().get_int("num_groups");
  if (groups < 1 || groups > std::max<std::int64_t>(x.dim(1), 1) || x.dim(1) % groups != 0) {
    return invalid_argument("GroupNormalization: num_groups ", groups, " does not divide ", x.dim(1), " channels");
  }
  return normalize_groups(context, groups, x);
}

}  // namespace fovea::ops
