// SPDX-License-Identifier: Apache-2.0
// Multi-scale deformable attention in f64. A sample outside its level counts for nothing, even with a NaN weight, but
// takes part in the softmax.
#include <cmath>

#include "base/checked_math.h"
#include "ops/deform/bilinear.h"
#include "ops/deform/deform_attention.h"
#include "ops/wide.h"

namespace fovea::ops {

namespace {

/// Rows of numbers, one row for each query and head of each batch item.
struct Rows {
  const double* data;
  std::int64_t step;
};

std::vector<double> softmax(const double* logits, std::int64_t n) {
  double largest = logits[0], sum = 0;
  for (std::int64_t i = 0; i < n; ++i) largest = std::max(largest, logits[i]);
  std::vector<double> powers;
  for (std::int64_t i = 0; i < n; ++i) powers.push_back(std::exp(logits[i] - largest)), sum += powers.back();
  for (double& power : powers) power /= sum;
  return powers;
}

void attend(const DeformAttentionExtents& e, const std::vector<AttentionLevel>& levels, const double* value, Rows locations, Rows weights,
            bool apply_softmax, double* y) {
  const std::int64_t step = e.heads * e.width;  // between rows of value
#pragma omp parallel for schedule(static) if (e.batch * e.queries * step * e.samples() > (1 << 16))
  for (std::int64_t job = 0; job < e.batch * e.queries * e.heads; ++job) {
    const std::int64_t n = job / (e.queries * e.heads), m = job % e.heads;
    const double *points = locations.data + job * locations.step, *weight = weights.data + job * weights.step;
    std::vector<double> normalised;
    if (apply_softmax && e.samples() > 0) normalised = softmax(weight, e.samples()), weight = normalised.data();
    double* const out = y + job * e.width;
    std::fill_n(out, e.width, 0.0);
    for (std::int64_t i = 0; i < e.samples(); ++i) {
      const AttentionLevel& level = levels[static_cast<std::size_t>(i / e.points)];
      const double px = points[2 * i] * static_cast<double>(level.width) - 0.5, py = points[2 * i + 1] * static_cast<double>(level.height) - 0.5;
      const BilinearTaps taps = zero_border_taps(py, px, level.height, level.width);
      if (taps.count == 0) continue;
      const double* plane = value + (n * e.rows + level.start) * step + m * e.width;
      for (std::int64_t d = 0; d < e.width; ++d) out[d] += weight[i] * taps.sample(plane + d, step);
    }
  }
}

Status run(KernelContext& context, const DeformAttentionExtents& extents, const Tensor& value, Rows locations, Rows weights, bool apply_softmax) {
  const Tensor &shapes = context.input(1), &starts = context.input(2);
  std::vector<AttentionLevel> levels(static_cast<std::size_t>(extents.levels));
  FOVEA_RETURN_IF_ERROR(read_levels(shapes.type(), shapes.raw(), starts.type(), starts.raw(), extents.rows, levels));
  std::int64_t columns = 0;
  if (!checked_mul(extents.heads, extents.width, columns)) return invalid_argument("value: too many heads and channels");
  FOVEA_ASSIGN(Tensor y, Tensor::allocate(DataType::f64, extents.output()));
  if (y.elements() > 0) attend(extents, levels, value.data<double>(), locations, weights, apply_softmax, y.data<double>());
  return store(context, 0, context.input(0).type(), y);
}

Status check_floating(const KernelContext& context, int i) {
  const DataType type = context.input(i).type();
  return is_floating(type) ? Status() : invalid_argument("input ", i, ": expected a floating type, found ", name(type));
}

}  // namespace

Status mmcv_deform_attention_reference(KernelContext& context) {
  for (int i : {0, 3, 4}) FOVEA_RETURN_IF_ERROR(check_floating(context, i));
  FOVEA_ASSIGN(const auto extents, DeformAttentionExtents::separate(context.input(0).shape(), context.input(1).shape(), context.input(2).shape(),
                                                                    context.input(3).shape(), context.input(4).shape()));
  FOVEA_ASSIGN(const Tensor value, widen(context, 0));
  FOVEA_ASSIGN(const Tensor locations, widen(context, 3));
  FOVEA_ASSIGN(const Tensor weights, widen(context, 4));
  const std::int64_t samples = extents.samples();
  return run(context, extents, value, {locations.data<double>(), 2 * samples}, {weights.data<double>(), samples}, false);
}

Status flash_deform_attention_reference(KernelContext& context) {
  for (int i : {0, 3}) FOVEA_RETURN_IF_ERROR(check_floating(context, i));
  FOVEA_ASSIGN(const auto params, FlashAttentionParams::parse(context.attributes()));
  FOVEA_ASSIGN(const auto extents, DeformAttentionExtents::packed(context.input(0).shape(), context.input(1).shape(), context.input(2).shape(),
                                                                  context.input(3).shape(), params.points));
  FOVEA_ASSIGN(const Tensor value, widen(context, 0));
  FOVEA_ASSIGN(const Tensor packed, widen(context, 3));
  const std::int64_t samples = extents.samples();
  return run(context, extents, value, {packed.data<double>(), 3 * samples}, {packed.data<double>() + 2 * samples, 3 * samples}, params.softmax);
}

}  // namespace fovea::ops
