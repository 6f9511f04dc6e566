// SPDX-License-Identifier: Apache-2.0
// What a scattered update does to the element that is there: replace it, or add, multiply, take the larger or smaller.
#pragma once

#include <cstdint>
#include <string_view>
#include <type_traits>

#include "base/element_types.h"

namespace fovea::ops {

/// Calls f(combine) where combine(old, update) is the reduction, a function without state; half types are combined in float, sums and products of
/// integers wrap, NaN wins as in NumPy.
template <class T, class F>
Status with_reduction(std::string_view reduction, F&& f) {
  using W = std::conditional_t<kIsHalf<T>, float, T>;
  const auto wide = [&]<class Combine>(Combine) {
    f([](T a, T b) { return static_cast<T>(Combine()(static_cast<W>(a), static_cast<W>(b))); });
    return Status();
  };
  if constexpr (std::is_integral_v<T>) {
    using U = std::make_unsigned_t<T>;
    if (reduction == "add") return wide([](W a, W b) { return static_cast<T>(static_cast<U>(a) + static_cast<U>(b)); });
    if (reduction == "mul") return wide([](W a, W b) { return static_cast<T>(static_cast<std::uint64_t>(a) * static_cast<std::uint64_t>(b)); });
  } else {
    if (reduction == "add") return wide([](W a, W b) { return a + b; });
    if (reduction == "mul") return wide([](W a, W b) { return a * b; });
  }
  if (reduction == "max") return wide([](W a, W b) { return a != a || a > b ? a : b; });
  if (reduction == "min") return wide([](W a, W b) { return a != a || a < b ? a : b; });
  return invalid_argument("reduction '", reduction, "' is unknown");
}

}  // namespace fovea::ops
