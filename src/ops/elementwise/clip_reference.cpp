// SPDX-License-Identifier: Apache-2.0
// Clip: min(max(x, low), high); when low > high everything becomes high. NaN stays NaN.
#include <limits>

#include "ops/elementwise/unary_loop.h"

namespace fovea::ops {

namespace {

template <class T>
Status read_bound(const KernelContext& context, int i, bool& present, T& bound) {
  present = context.has_input(i);
  if (!present) return {};
  const Tensor& tensor = context.input(i);
  if (tensor.type() != kTypeOf<T> || tensor.elements() != 1) {
    return invalid_argument("Clip: ", i == 1 ? "min" : "max", " must be a scalar of type ", name(kTypeOf<T>), ", found ",
                            name(tensor.type()), " ", tensor.shape().to_string());
  }
  bound = *tensor.data<T>();
  return {};
}

}  // namespace

Status clip_reference(KernelContext& context) {
  return dispatch_numeric(context.input(0).type(), "Clip", [&](auto tag) -> Status {
    using T = typename decltype(tag)::type;
    bool has_low = false, has_high = false;
    T low{}, high{};
    FOVEA_RETURN_IF_ERROR(read_bound(context, 1, has_low, low));
    FOVEA_RETURN_IF_ERROR(read_bound(context, 2, has_high, high));
    return map_elements<T, T>(context, kTypeOf<T>, [=](auto x) {
      using C = decltype(x);
      const C raised = has_low && x < static_cast<C>(low) ? static_cast<C>(low) : x;
      return has_high && raised > static_cast<C>(high) ? static_cast<C>(high) : raised;
    });
  });
}

}  // namespace fovea::ops
