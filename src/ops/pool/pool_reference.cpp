// SPDX-License-Identifier: Apache-2.0
// AveragePool, MaxPool and LpPool: each output looks at the taps of its window that lie inside the input.
// The maximum of a window with a NaN is NaN; a window wholly in the padding has maximum -inf (lowest for
// integers) and index -1, mean 0 (count_include_pad) or NaN, and norm 0.
#include <cmath>
#include <limits>

#include "base/element_types.h"
#include "ops/pool/pool_params.h"
#include "ops/widen.h"

namespace fovea::ops {

namespace {

/// Outputs below which waking threads costs more than it saves.
constexpr std::int64_t kParallelOutputs = 1 << 14;

/// Calls visit(plane, output index in the plane, {od, oh, ow}) for every output, planes in parallel.
template <class Visit>
void for_each_output(const PoolGeometry& geometry, const std::vector<WindowAxis>& axes, const Visit& visit) {
  const std::int64_t planes = geometry.batch * geometry.channels;
  const std::int64_t outputs = axes[0].output * axes[1].output * axes[2].output;
#pragma omp parallel for schedule(static) if (planes * outputs > kParallelOutputs)
  for (std::int64_t plane = 0; plane < planes; ++plane) {
    std::int64_t at = 0;
    for (std::int64_t od = 0; od < axes[0].output; ++od) {
      for (std::int64_t oh = 0; oh < axes[1].output; ++oh) {
        for (std::int64_t ow = 0; ow < axes[2].output; ++ow) visit(plane, at++, std::array{od, oh, ow});
      }
    }
  }
}

/// Calls visit(d, h, w) for every tap of one window that lies inside the input, in row-major order.
template <class Visit>
void for_each_tap(const std::vector<WindowAxis>& axes, const std::array<std::int64_t, 3>& output, const Visit& visit) {
  std::array<std::int64_t, 3> start, first, last;  // input index of tap 0; taps first..last-1 are inside
  for (std::size_t a = 0; a < 3; ++a) {
    const WindowAxis& axis = axes[a];
    start[a] = output[a] * axis.stride - axis.pad_begin;
    first[a] = start[a] < 0 ? (-start[a] + axis.dilation - 1) / axis.dilation : 0;
    const std::int64_t room = axis.input - start[a];
    last[a] = room <= 0 ? 0 : std::min(axis.kernel, (room - 1) / axis.dilation + 1);
  }
  for (std::int64_t kd = first[0]; kd < last[0]; ++kd) {
    for (std::int64_t kh = first[1]; kh < last[1]; ++kh) {
      for (std::int64_t kw = first[2]; kw < last[2]; ++kw) {
        visit(start[0] + kd * axes[0].dilation, start[1] + kh * axes[1].dilation, start[2] + kw * axes[2].dilation);
      }
    }
  }
}

/// Taps of one window that lie inside the padded input; what ceil_mode adds behind it never counts.
double taps_with_padding(const std::vector<WindowAxis>& axes, const std::array<std::int64_t, 3>& output) {
  double count = 1;
  for (std::size_t a = 0; a < 3; ++a) {
    const WindowAxis& axis = axes[a];
    const std::int64_t room = axis.input + axis.pad_end + axis.pad_begin - output[a] * axis.stride;
    count *= static_cast<double>(room <= 0 ? 0 : std::min(axis.kernel, (room - 1) / axis.dilation + 1));
  }
  return count;
}

struct Pooling {
  PoolParams params;
  PoolGeometry geometry;
  std::vector<WindowAxis> axes;  // three
  Tensor x;                      // f32 or f64
};

Result<Pooling> prepare(KernelContext& context) {
  const Tensor& input = context.input(0);
  Pooling pooling;
  FOVEA_ASSIGN(pooling.params, PoolParams::parse(context.attributes(), input.rank()));
  FOVEA_ASSIGN(pooling.geometry, pooling.params.resolve(input.shape()));
  if (pooling.geometry.axes.size() > 3) return unsupported("pooling over ", pooling.geometry.axes.size(), " spatial axes; at most 3 are supported");
  pooling.axes = as_three_axes(pooling.geometry.axes);
  FOVEA_ASSIGN(pooling.x, widened(input));
  return pooling;
}

/// Runs compute(x plane, window's place) -> value for every output.
template <class T, class Compute>
void pool(const Pooling& pooling, T* y, const Compute& compute) {
  const std::vector<WindowAxis>& axes = pooling.axes;
  const std::int64_t in_plane = axes[0].input * axes[1].input * axes[2].input;
  const std::int64_t out_plane = axes[0].output * axes[1].output * axes[2].output;
  for_each_output(pooling.geometry, axes, [&](std::int64_t plane, std::int64_t at, const std::array<std::int64_t, 3>& output) {
    const T* const src = pooling.x.data<T>() + plane * in_plane;
    y[plane * out_plane + at] = static_cast<T>(compute(src, output));
  });
}

}  // namespace

Status average_pool_reference(KernelContext& context) {
  FOVEA_ASSIGN(const Pooling pooling, prepare(context));
  FOVEA_ASSIGN(WideOutput y, WideOutput::create(context, 0, context.input(0).type(), pooling.geometry.output_shape()));
  FOVEA_RETURN_IF_ERROR((dispatch<float, double>(y.type(), "AveragePool", [&](auto tag) -> Status {
    using T = typename decltype(tag)::type;
    const std::vector<WindowAxis>& axes = pooling.axes;
    pool(pooling, y.data<T>(), [&](const T* src, const std::array<std::int64_t, 3>& output) {
      double sum = 0, count = 0;
      for_each_tap(axes, output, [&](std::int64_t d, std::int64_t h, std::int64_t w) {
        sum += static_cast<double>(src[(d * axes[1].input + h) * axes[2].input + w]);
        ++count;
      });
      return sum / (pooling.params.count_include_pad ? taps_with_padding(axes, output) : count);
    });
    return {};
  })));
  return y.finish();
}

Status lp_pool_reference(KernelContext& context) {
  FOVEA_ASSIGN(const Pooling pooling, prepare(context));
  FOVEA_ASSIGN(WideOutput y, WideOutput::create(context, 0, context.input(0).type(), pooling.geometry.output_shape()));
  const double p = static_cast<double>(pooling.params.p);
  FOVEA_RETURN_IF_ERROR((dispatch<float, double>(y.type(), "LpPool", [&](auto tag) -> Status {
    using T = typename decltype(tag)::type;
    const std::vector<WindowAxis>& axes = pooling.axes;
    pool(pooling, y.data<T>(), [&](const T* src, const std::array<std::int64_t, 3>& output) {
      double sum = 0;
      for_each_tap(axes, output, [&](std::int64_t d, std::int64_t h, std::int64_t w) {
        sum += std::pow(std::abs(static_cast<double>(src[(d * axes[1].input + h) * axes[2].input + w])), p);
      });
      return std::pow(sum, 1.0 / p);
    });
    return {};
  })));
  return y.finish();
}

Status max_pool_reference(KernelContext& context) {
  FOVEA_ASSIGN(const Pooling pooling, prepare(context));
  const Shape shape = pooling.geometry.output_shape();
  FOVEA_ASSIGN(WideOutput y, WideOutput::create(context, 0, context.input(0).type(), shape));
  Tensor indices;
  if (context.num_outputs() > 1) {
    FOVEA_ASSIGN(indices, context.output(1, DataType::i64, shape));
  }
  FOVEA_RETURN_IF_ERROR((dispatch<float, double>(y.type(), "MaxPool", [&](auto tag) -> Status {
    using T = typename decltype(tag)::type;
    const std::vector<WindowAxis>& axes = pooling.axes;
    const std::int64_t depth = axes[0].input, height = axes[1].input, width = axes[2].input;
    const std::int64_t out_plane = axes[0].output * axes[1].output * axes[2].output;
    for_each_output(pooling.geometry, axes, [&](std::int64_t plane, std::int64_t at, const std::array<std::int64_t, 3>& output) {
      const T* const src = pooling.x.data<T>() + plane * depth * height * width;
      T best = -std::numeric_limits<T>::infinity();
      std::int64_t place = -1;
      for_each_tap(axes, output, [&](std::int64_t d, std::int64_t h, std::int64_t w) {
        const T value = src[(d * height + h) * width + w];
        if (place >= 0 && !(value > best || (std::isnan(value) && !std::isnan(best)))) return;
        best = value;
        place = pooling.params.column_major ? d + (h + w * height) * depth : (d * height + h) * width + w;
      });
      y.data<T>()[plane * out_plane + at] = best;
      if (indices.defined()) indices.data<std::int64_t>()[plane * out_plane + at] = place < 0 ? -1 : plane * depth * height * width + place;
    });
    return {};
  })));
  return y.finish();
}

}  // namespace fovea::ops
