// SPDX-License-Identifier: Apache-2.0
// Pow: base and exponent may differ in type; the result has the base's. Exponents are read as i64 or double.
#include <cmath>

#include "ops/elementwise/binary_loop.h"
#include "ops/elementwise/element_cast.h"
#include "ops/elementwise/integer_math.h"

namespace fovea::ops {

namespace {

/// Integer to an integer power; a negative one truncates: only 1 and -1 have a non-zero result.
template <class T>
T integer_power(T base, std::int64_t exponent) {
  if (exponent >= 0) return wrap_pow(base, static_cast<unsigned long long>(exponent));
  if (base == 1) return T(1);
  if (base == -1) return exponent % 2 == 0 ? T(1) : T(-1);
  return T(0);
}

}  // namespace

Status pow_reference(KernelContext& context) {
  const Tensor& x = context.input(0);
  if (!is_integer(context.input(1).type()) && !is_floating(context.input(1).type())) {
    return unsupported("Pow: exponent of type ", name(context.input(1).type()), " is not supported");
  }
  const bool integral = is_integer(context.input(1).type());
  FOVEA_ASSIGN(const Tensor y, cast_tensor(context.input(1), integral ? DataType::i64 : DataType::f64, "Pow"));
  return dispatch<float, double, Half, BFloat16, std::int32_t, std::int64_t>(x.type(), "Pow", [&](auto tag) -> Status {
    using T = typename decltype(tag)::type;
    if constexpr (std::is_integral_v<T>) {
      if (integral) return map_pairs<T, std::int64_t, T>(context, x, y, x.type(), integer_power<T>);
      return map_pairs<T, double, T>(context, x, y, x.type(), [](T a, double b) {
        return float_to_integer<T>(std::pow(static_cast<double>(a), b));
      });
    } else {
      const auto power = [](auto a, auto b) { return std::pow(static_cast<double>(a), static_cast<double>(b)); };
      const auto square = [](auto a, auto) { return a * a; };
      // x^2 is how layer norms are often exported.
      if (integral && y.elements() == 1 && *y.data<std::int64_t>() == 2) return map_pairs<T, std::int64_t, T>(context, x, y, x.type(), square);
      if (!integral && y.elements() == 1 && *y.data<double>() == 2) return map_pairs<T, double, T>(context, x, y, x.type(), square);
      if (integral) return map_pairs<T, std::int64_t, T>(context, x, y, x.type(), power);
      return map_pairs<T, double, T>(context, x, y, x.type(), power);
    }
  });
}

}  // namespace fovea::ops
