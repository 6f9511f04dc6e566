// SPDX-License-Identifier: Apache-2.0
// Reshape and Flatten: the output shares the input's memory.
#include "base/checked_math.h"
#include "ops/axis.h"
#include "ops/kernel_context.h"

namespace fovea::ops {

Status reshape_reference(KernelContext& context) {
  const Tensor& data = context.input(0);
  FOVEA_ASSIGN(const auto target, int_values(context.input(1), "shape"));
  FOVEA_ASSIGN(Shape shape, make_shape(target));
  const bool zero_copies = context.attributes().get_int("allowzero") == 0;
  int inferred = -1;
  std::int64_t rest = 1;
  for (int i = 0; i < shape.rank(); ++i) {
    if (shape[i] == -1) {
      if (inferred >= 0) return invalid_argument("target shape ", shape.to_string(), " has more than one -1");
      inferred = i;
      continue;
    }
    if (shape[i] == 0 && zero_copies) {
      if (i >= data.rank()) return invalid_argument("target shape copies axis ", i, " of an input of rank ", data.rank());
      shape[i] = data.dim(i);
    }
    if (shape[i] < 0) return invalid_argument("target shape has extent ", shape[i]);
    if (!checked_mul(rest, shape[i], rest)) return invalid_argument("target shape ", shape.to_string(), " is too large");
  }
  if (inferred >= 0) {
    if (rest == 0) return invalid_argument("target shape has both 0 and -1, so -1 is not determined");
    shape[inferred] = data.elements() / rest;
    rest *= shape[inferred];
  }
  if (rest != data.elements()) {
    return invalid_argument("cannot reshape ", data.shape().to_string(), " (", data.elements(), " elements) to ", Shape(target).to_string());
  }
  context.set_output(0, data.reshaped(shape));
  return {};
}

Status flatten_reference(KernelContext& context) {
  const Tensor& data = context.input(0);
  std::int64_t axis = context.attributes().get_int("axis", 1);
  if (axis < -data.rank() || axis > data.rank()) return invalid_argument("axis ", axis, " is out of range for rank ", data.rank());
  if (axis < 0) axis += data.rank();
  Shape shape{1, 1};
  for (int i = 0; i < data.rank(); ++i) shape[i < axis ? 0 : 1] *= data.dim(i);
  context.set_output(0, data.reshaped(shape));
  return {};
}

}  // namespace fovea::ops
