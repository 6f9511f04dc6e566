// SPDX-License-Identifier: Apache-2.0
// Float functions of one input: each element is computed wide and rounded once.
#include <cmath>

#include "ops/elementwise/unary_loop.h"

namespace fovea::ops {

namespace {

template <class C>
C clamp01(C x) { return x < 0 ? C(0) : x > 1 ? C(1) : x; }
template <class C>
C softplus_of(C x) { return x > 0 ? x + std::log1p(std::exp(-x)) : std::log1p(std::exp(x)); }

}  // namespace

#define FOVEA_UNARY(stem, name, since, expression) \
  Status stem##_reference(KernelContext& context) { \
    return map_floats(context, [](auto x) { using C [[maybe_unused]] = decltype(x); return expression; }); \
  }
#include "ops/elementwise/unary_functions.def"
#undef FOVEA_UNARY

}  // namespace fovea::ops
