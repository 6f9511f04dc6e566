// SPDX-License-Identifier: Apache-2.0
// Widening copies and rounding back.
#include "ops/widen.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/element_types.h"

namespace fovea::ops {

namespace {

template <class T>
T rounded(float value) {
  if constexpr (std::is_integral_v<T>) {
    if (std::isnan(value)) return 0;
    const float low = std::numeric_limits<T>::min(), high = std::numeric_limits<T>::max();
    return static_cast<T>(std::clamp(std::nearbyint(value), low, high));
  } else {
    return T(value);
  }
}

template <class F>
Status dispatch_narrow(DataType type, F&& f) {
  return dispatch<Half, BFloat16, std::int8_t, std::uint8_t, std::int16_t, std::uint16_t>(type, "widening", f);
}

}  // namespace

Result<Tensor> widened(const Tensor& tensor) {
  if (tensor.type() == DataType::f32 || tensor.type() == DataType::f64) return tensor;
  FOVEA_ASSIGN(Tensor wide, Tensor::allocate(DataType::f32, tensor.shape()));
  FOVEA_RETURN_IF_ERROR(dispatch_narrow(tensor.type(), [&](auto tag) -> Status {
    using T = typename decltype(tag)::type;
    const T* src = tensor.data<T>();
    float* dst = wide.data<float>();
    for (std::int64_t i = 0; i < tensor.elements(); ++i) dst[i] = static_cast<float>(src[i]);
    return {};
  }));
  return wide;
}

Result<WideOutput> WideOutput::create(KernelContext& context, int index, DataType type, const Shape& shape) {
  WideOutput output;
  FOVEA_ASSIGN(output.output_, context.output(index, type, shape));
  if (type == DataType::f32 || type == DataType::f64) {
    output.wide_ = output.output_;
  } else {
    FOVEA_ASSIGN(output.wide_, Tensor::allocate(DataType::f32, shape));
  }
  return output;
}

Status WideOutput::finish() {
  if (wide_.raw() == output_.raw()) return {};
  return dispatch_narrow(output_.type(), [&](auto tag) -> Status {
    using T = typename decltype(tag)::type;
    const float* src = wide_.data<float>();
    T* dst = output_.data<T>();
    for (std::int64_t i = 0; i < output_.elements(); ++i) dst[i] = rounded<T>(src[i]);
    return {};
  });
}

}  // namespace fovea::ops
