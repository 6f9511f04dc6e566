// SPDX-License-Identifier: Apache-2.0
// ReduceMax and ReduceMin (NaN wins; nothing gives minus or plus infinity, or the type's limit), and the
// logarithms ReduceLogSum and ReduceLogSumExp, the latter relative to the maximum so that it cannot overflow.
#include <cmath>
#include <limits>

#include "ops/elementwise/element_cast.h"
#include "ops/reduce/reduce_loop.h"

namespace fovea::ops {

namespace {

template <class C>
constexpr C lowest() {
  if constexpr (std::is_floating_point_v<C>) return -std::numeric_limits<C>::infinity();
  else return std::numeric_limits<C>::min();
}
template <class C>
constexpr C highest() {
  if constexpr (std::is_floating_point_v<C>) return std::numeric_limits<C>::infinity();
  else return std::numeric_limits<C>::max();
}

constexpr auto kMaximum = [](auto a, auto x) { return x > a || x != x ? static_cast<decltype(a)>(x) : a; };
constexpr auto kMinimum = [](auto a, auto x) { return x < a || x != x ? static_cast<decltype(a)>(x) : a; };
template <class F>
Status dispatch_ordered(KernelContext& context, F f) {
  FOVEA_ASSIGN(const Reduction reduction, reduction_of(context));
  return dispatch<float, double, Half, BFloat16, std::int32_t, std::int64_t, std::uint32_t, std::uint64_t, std::int8_t, std::uint8_t, Bool>(
      context.input(0).type(), context.op(), [&](auto tag) { return f(tag, reduction); });
}

/// Bools are bytes, zero or not.
Status reduce_bools(KernelContext& context, const Reduction& reduction, bool all) {
  const Tensor& x = context.input(0);
  std::vector<std::uint8_t> result(static_cast<std::size_t>(reduction.output.elements()), all);
  accumulate<std::uint8_t>(x, reduction.kept, result.data(), [=](std::uint8_t a, std::uint8_t b) {
    return static_cast<std::uint8_t>(all ? (a != 0 && b != 0) : (a != 0 || b != 0));
  });
  FOVEA_ASSIGN(Tensor y, context.output(0, DataType::boolean, reduction.output));
  std::copy(result.begin(), result.end(), y.data<std::uint8_t>());
  return {};
}

}  // namespace

Status reduce_max_reference(KernelContext& context) {
  return dispatch_ordered(context, [&](auto tag, const Reduction& reduction) {
    using T = typename decltype(tag)::type;
    using C = std::conditional_t<kIsHalf<T>, float, T>;
    if constexpr (std::is_same_v<T, Bool>) return reduce_bools(context, reduction, false);
    else return reduce<T>(context, reduction, lowest<C>(), kMaximum, kAsIs);
  });
}

Status reduce_min_reference(KernelContext& context) {
  return dispatch_ordered(context, [&](auto tag, const Reduction& reduction) {
    using T = typename decltype(tag)::type;
    using C = std::conditional_t<kIsHalf<T>, float, T>;
    if constexpr (std::is_same_v<T, Bool>) return reduce_bools(context, reduction, true);
    else return reduce<T>(context, reduction, highest<C>(), kMinimum, kAsIs);
  });
}

namespace {

template <class T>
auto from_double(double value) {
  if constexpr (std::is_integral_v<T>) return float_to_integer<T>(value);
  else return value;
}

template <class F>
Status dispatch_logarithm(KernelContext& context, F f) {
  FOVEA_ASSIGN(const Reduction reduction, reduction_of(context));
  return dispatch<float, double, Half, BFloat16, std::int32_t, std::int64_t, std::uint32_t, std::uint64_t>(
      context.input(0).type(), context.op(), [&](auto tag) { return f(tag, reduction); });
}

}  // namespace

Status reduce_log_sum_reference(KernelContext& context) {
  return dispatch_logarithm(context, [&](auto tag, const Reduction& reduction) {
    using T = typename decltype(tag)::type;
    return reduce<T>(context, reduction, 0.0, [](double a, auto x) { return a + static_cast<double>(x); },
                     [](double sum, std::size_t) { return from_double<T>(std::log(sum)); });
  });
}

Status reduce_log_sum_exp_reference(KernelContext& context) {
  return dispatch_logarithm(context, [&](auto tag, const Reduction& reduction) {
    using T = typename decltype(tag)::type;
    const Tensor& x = context.input(0);
    std::vector<double> peak(static_cast<std::size_t>(reduction.output.elements()), lowest<double>());
    accumulate<T>(x, reduction.kept, peak.data(), kMaximum);
    for (double& value : peak) value = std::isfinite(value) ? value : 0.0;
    // Pair each accumulator with its maximum, so that one pass can subtract it.
    struct State { double sum, peak; };
    std::vector<State> states;
    for (const double value : peak) states.push_back({0, value});
    accumulate<T>(x, reduction.kept, states.data(), [](State s, auto element) {
      return State{s.sum + std::exp(static_cast<double>(element) - s.peak), s.peak};
    });
    FOVEA_ASSIGN(Tensor y, context.output(0, x.type(), reduction.output));
    for (std::size_t i = 0; i < states.size(); ++i) y.data<T>()[i] = narrow<T>(from_double<T>(std::log(states[i].sum) + states[i].peak));
    return Status();
  });
}

}  // namespace fovea::ops
