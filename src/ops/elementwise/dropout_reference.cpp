// SPDX-License-Identifier: Apache-2.0
// Dropout outside training is the identity. In training mode only ratio 0, the same, is supported.
#include <algorithm>

#include "ops/elementwise/element_cast.h"
#include "ops/kernel_context.h"

namespace fovea::ops {

Status dropout_reference(KernelContext& context) {
  const Tensor& x = context.input(0);
  if (context.has_input(2) && context.input(2).elements() == 1 && *context.input(2).data<std::uint8_t>() != 0) {
    double ratio = 0.5;
    if (context.has_input(1) && context.input(1).elements() == 1) {
      FOVEA_ASSIGN(const Tensor wide, cast_tensor(context.input(1), DataType::f64, "Dropout"));
      ratio = *wide.data<double>();
    }
    if (ratio != 0) return unsupported("Dropout: training_mode with ratio ", ratio, " drops at random; engines only infer");
  }
  context.set_output(0, x);
  if (context.num_outputs() > 1) {
    FOVEA_ASSIGN(Tensor mask, context.output(1, DataType::boolean, x.shape()));
    std::fill_n(mask.data<std::uint8_t>(), mask.elements(), std::uint8_t{1});
  }
  return {};
}

}  // namespace fovea::ops
