// SPDX-License-Identifier: Apache-2.0
// Dropout outside training is the identity. In training mode an element stays, scaled by 1 / (1 - ratio), where
// the next uniform number of a Mersenne twister seeded with `seed` is at least the ratio.
#include <algorithm>
#include <random>

#include "ops/elementwise/element_cast.h"
#include "ops/elementwise/unary_loop.h"

namespace fovea::ops {

namespace {

/// 53 random bits in [0, 1): two draws, as numpy makes its doubles.
double uniform(std::mt19937& engine) {
  const auto high = static_cast<double>(engine() >> 5), low = static_cast<double>(engine() >> 6);
  return (high * 67108864.0 + low) / 9007199254740992.0;
}

Status drop(KernelContext& context, double ratio) {
  const Tensor& x = context.input(0);
  return dispatch_floats(x.type(), "Dropout", [&](auto tag) -> Status {
    using T = typename decltype(tag)::type;
    std::mt19937 engine(static_cast<std::uint32_t>(context.attributes().get_int("seed", 0)));
    FOVEA_ASSIGN(Tensor y, context.output(0, x.type(), x.shape()));
    Tensor mask;
    if (context.num_outputs() > 1) {
      FOVEA_ASSIGN(mask, context.output(1, DataType::boolean, x.shape()));
    }
    for (std::int64_t i = 0; i < x.elements(); ++i) {
      const bool keep = uniform(engine) >= ratio;
      y.data<T>()[i] = narrow<T>(keep ? static_cast<double>(x.data<T>()[i]) / (1 - ratio) : 0.0);
      if (mask.defined()) mask.data<std::uint8_t>()[i] = keep;
    }
    return {};
  });
}

}  // namespace

Status dropout_reference(KernelContext& context) {
  const Tensor& x = context.input(0);
  if (context.has_input(2) && context.input(2).elements() == 1 && *context.input(2).data<std::uint8_t>() != 0) {
    double ratio = 0.5;
    if (context.has_input(1) && context.input(1).elements() == 1) {
      FOVEA_ASSIGN(const Tensor wide, cast_tensor(context.input(1), DataType::f64, "Dropout"));
      ratio = *wide.data<double>();
    }
    if (!(ratio >= 0 && ratio < 1)) return invalid_argument("Dropout: ratio must be in [0, 1), found ", ratio);
    if (ratio > 0) return drop(context, ratio);
  }
  context.set_output(0, x);
  if (context.num_outputs() > 1) {
    FOVEA_ASSIGN(Tensor mask, context.output(1, DataType::boolean, x.shape()));
    std::fill_n(mask.data<std::uint8_t>(), mask.elements(), std::uint8_t{1});
  }
  return {};
}

}  // namespace fovea::ops
