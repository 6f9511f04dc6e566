// SPDX-License-Identifier: Apache-2.0
// Transpose: dst[i0, i1, ...] = src[...] with src's axis perm[k] walked by dst's axis k.
#include "base/strided_copy.h"
#include "ops/axis.h"
#include "ops/kernel_context.h"

namespace fovea::ops {

Status transpose_reference(KernelContext& context) {
  const Tensor& data = context.input(0);
  const std::vector<std::int64_t> perm = context.attributes().get_ints("perm");
  std::vector<int> axes;
  if (context.attributes().has("perm")) {
    if (static_cast<int>(perm.size()) != data.rank()) {
      return invalid_argument("perm has ", perm.size(), " entries for an input of rank ", data.rank());
    }
    FOVEA_ASSIGN(axes, normalize_axes(perm, data.rank()));
  } else {
    for (int axis = data.rank() - 1; axis >= 0; --axis) axes.push_back(axis);
  }
  const Shape src_strides = dense_strides(data.shape());
  Shape shape, strides;
  for (int axis : axes) {
    shape.push_back(data.dim(axis));
    strides.push_back(src_strides[axis]);
  }
  FOVEA_ASSIGN(Tensor output, context.output(0, data.type(), shape));
  strided_copy(data.type(), shape.dims(), data.raw(), strides.dims(), output.raw(), dense_strides(shape).dims());
  return {};
}

}  // namespace fovea::ops
