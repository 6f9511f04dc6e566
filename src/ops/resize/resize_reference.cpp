// SPDX-License-Identifier: Apache-2.0
// Resize: nearest moves elements of any type; linear and cubic apply one axis after the other in f64. Integers
// are rounded half to even and saturated.
#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "base/element_types.h"
#include "ops/kernel_context.h"
#include "ops/resize/resize_params.h"

namespace fovea::ops {

namespace {

template <class T>
T converted(double value) {
  if constexpr (std::is_integral_v<T>) {
    if (std::isnan(value)) return 0;
    const double rounded = std::nearbyint(value);
    // The maximum of 64-bit types is not a double: compare before converting.
    if (rounded <= static_cast<double>(std::numeric_limits<T>::min())) return std::numeric_limits<T>::min();
    if (rounded >= static_cast<double>(std::numeric_limits<T>::max())) return std::numeric_limits<T>::max();
    return static_cast<T>(rounded);
  } else if constexpr (kIsHalf<T>) {
    return T(static_cast<float>(value));
  } else {
    return static_cast<T>(value);
  }
}

/// One element of `type` that holds the extrapolation value; default-constructed for what is not a number.
Result<Tensor> extrapolation(DataType type, double value) {
  FOVEA_ASSIGN(Tensor one, Tensor::allocate(type, {}));
  if (!is_integer(type) && !is_floating(type)) return one;
  FOVEA_RETURN_IF_ERROR(dispatch_numeric(type, "Resize", [&](auto tag) -> Status {
    using T = typename decltype(tag)::type;
    *one.data<T>() = converted<T>(value);
    return {};
  }));
  return one;
}

template <class T>
void gather_nearest(const Tensor& x, const std::vector<ResizeTaps>& taps, const Tensor& outside_value, Tensor& y) {
  const int rank = x.rank();
  const std::int64_t row = rank > 0 ? y.dim(rank - 1) : 1;
  const T fill = *outside_value.data<T>();
  T* dst = y.data<T>();
  for (std::int64_t rest = 0; rest < y.elements() / row; ++rest) {
    std::int64_t at = rest, offset = 0, stride = rank > 0 ? x.dim(rank - 1) : 1;
    bool outside = false;
    for (int a = rank - 2; a >= 0; --a) {
      const ResizeTaps& axis = taps[static_cast<std::size_t>(a)];
      const auto o = static_cast<std::size_t>(at % y.dim(a));
      offset += axis.index[o] * stride;
      outside = outside || (!axis.outside.empty() && axis.outside[o]);
      at /= y.dim(a);
      stride *= x.dim(a);
    }
    const T* const src = x.data<T>() + offset;
    for (std::int64_t i = 0; i < row; ++i) {
      const auto o = static_cast<std::size_t>(i);
      const bool skip = outside || (rank > 0 && !taps.back().outside.empty() && taps.back().outside[o]);
      *dst++ = skip ? fill : src[rank > 0 ? taps.back().index[o] : 0];
    }
  }
}

Status resize_nearest(const ResizeParams& params, const Tensor& x, const std::vector<ResizeTaps>& taps, Tensor& y) {
  FOVEA_ASSIGN(const Tensor fill, extrapolation(x.type(), params.extrapolation_value));
  if (x.type() == DataType::string) {
    gather_nearest<std::string>(x, taps, fill, y);
    return {};
  }
  switch (size_of(x.type())) {
    case 1: gather_nearest<std::uint8_t>(x, taps, fill, y); return {};
    case 2: gather_nearest<std::uint16_t>(x, taps, fill, y); return {};
    case 4: gather_nearest<std::uint32_t>(x, taps, fill, y); return {};
    case 8: gather_nearest<std::uint64_t>(x, taps, fill, y); return {};
    default: gather_nearest<std::complex<double>>(x, taps, fill, y); return {};
  }
}

/// dst[outer, o, inner] = sum of weight * src[outer, index, inner].
void apply_taps(const ResizeTaps& taps, double outside_value, std::int64_t outer, std::int64_t input, std::int64_t output,
                std::int64_t inner, const double* src, double* dst) {
  for (std::int64_t n = 0; n < outer; ++n, src += input * inner) {
    for (std::size_t o = 0; o < static_cast<std::size_t>(output); ++o, dst += inner) {
      if (!taps.outside.empty() && taps.outside[o]) {
        std::fill_n(dst, inner, outside_value);
        continue;
      }
      std::fill_n(dst, inner, 0.0);
      for (auto t = static_cast<std::size_t>(taps.first[o]); t < static_cast<std::size_t>(taps.first[o + 1]); ++t) {
        const double weight = taps.weight[t];
        const double* const from = src + taps.index[t] * inner;
#pragma omp simd
        for (std::int64_t i = 0; i < inner; ++i) dst[i] += weight * from[i];
      }
    }
  }
}

/// Parts that no axis in front is resized in, such as the planes of a picture: each by itself, axis after axis in f64.
template <class T>
void resize_parts(const ResizeParams& params, const std::vector<ResizeAxis>& axes, const std::vector<ResizeTaps>& taps, const T* x, T* y) {
  std::size_t first = 0;
  std::int64_t parts = 1, inputs = 1, outputs = 1;
  for (; first < axes.size() && taps[first].identity; ++first) parts *= axes[first].input;
  for (std::size_t a = first; a < axes.size(); ++a) inputs *= axes[a].input, outputs *= axes[a].output;
#pragma omp parallel if (parts * outputs > 65536)
  {
    std::vector<double> work, next;
#pragma omp for schedule(static)
    for (std::int64_t part = 0; part < parts; ++part) {
      work.resize(static_cast<std::size_t>(inputs));
      std::transform(x + part * inputs, x + (part + 1) * inputs, work.begin(), [](T value) { return static_cast<double>(value); });
      std::int64_t outer = 1, inner = inputs;
      for (std::size_t a = first; a < axes.size(); ++a) {
        inner /= std::max<std::int64_t>(1, axes[a].input);
        if (!taps[a].identity) {
          next.resize(static_cast<std::size_t>(outer * axes[a].output * inner));
          apply_taps(taps[a], params.extrapolation_value, outer, axes[a].input, axes[a].output, inner, work.data(), next.data());
          work.swap(next);
        }
        outer *= axes[a].output;
      }
      std::transform(work.begin(), work.begin() + outputs, y + part * outputs, [](double value) { return converted<T>(value); });
    }
  }
}

Status resize_smooth(const ResizeParams& params, const Tensor& x, const std::vector<ResizeAxis>& axes, const std::vector<ResizeTaps>& taps, Tensor& y) {
  return dispatch_numeric(x.type(), "Resize: mode linear or cubic", [&](auto tag) -> Status {
    using T = typename decltype(tag)::type;
    resize_parts(params, axes, taps, x.data<T>(), y.data<T>());
    return {};
  });
}

}  // namespace

Status resize_reference(KernelContext& context) {
  const Tensor& x = context.input(0);
  const auto optional = [&](int i) { return context.has_input(i) ? context.input(i) : Tensor(); };
  FOVEA_ASSIGN(const ResizeParams params, ResizeParams::parse(context.attributes(), x.rank()));
  FOVEA_ASSIGN(const auto axes, resolve_resize(params, x.shape(), optional(1), optional(2), optional(3)));
  Shape shape;
  for (const ResizeAxis& axis : axes) shape.push_back(axis.output);
  FOVEA_ASSIGN(Tensor y, context.output(0, x.type(), shape));
  if (y.elements() == 0) return {};
  std::vector<ResizeTaps> taps;
  for (const ResizeAxis& axis : axes) {
    FOVEA_ASSIGN(ResizeTaps table, make_resize_taps(params, axis));
    taps.push_back(std::move(table));
  }
  return params.mode == ResizeMode::Nearest ? resize_nearest(params, x, taps, y) : resize_smooth(params, x, axes, taps, y);
}

}  // namespace fovea::ops
