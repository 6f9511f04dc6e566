// SPDX-License-Identifier: Apache-2.0
// CenterCropPad: the middle of the input lies on the middle of the output; an odd difference crops or pads one
// more at the end. What is new is 0.
#include <algorithm>

#include "base/strided_copy.h"
#include "ops/axis.h"
#include "ops/fill.h"
#include "ops/kernel_context.h"

namespace fovea::ops {

Status center_crop_pad_reference(KernelContext& context) {
  const Tensor& data = context.input(0);
  FOVEA_ASSIGN(const auto target, int_values(context.input(1), "shape"));
  std::vector<std::int64_t> listed = context.attributes().get_ints("axes");
  if (!context.attributes().has("axes")) {
    for (int axis = 0; axis < data.rank(); ++axis) listed.push_back(axis);
  }
  FOVEA_ASSIGN(const auto axes, normalize_axes(listed, data.rank()));
  if (target.size() != axes.size()) return invalid_argument("shape has ", target.size(), " entries for ", axes.size(), " axes");
  Shape shape = data.shape(), common = data.shape();
  for (std::size_t i = 0; i < axes.size(); ++i) {
    if (target[i] < 0) return invalid_argument("shape has the negative entry ", target[i]);
    shape[axes[i]] = target[i];
    common[axes[i]] = std::min(target[i], data.dim(axes[i]));
  }
  FOVEA_ASSIGN(Tensor output, context.output(0, data.type(), shape));
  const Shape src_strides = dense_strides(data.shape()), dst_strides = dense_strides(shape);
  std::int64_t from = 0, to = 0;
  for (int axis = 0; axis < data.rank(); ++axis) {
    from += (data.dim(axis) - common[axis]) / 2 * src_strides[axis];
    to += (shape[axis] - common[axis]) / 2 * dst_strides[axis];
  }
  fill(output, Tensor());
  if (common.elements() > 0) {
    strided_copy(data.type(), common.dims(), element_at(data.type(), data.raw(), from), src_strides.dims(),
                 element_at(data.type(), output.raw(), to), dst_strides.dims());
  }
  return {};
}

}  // namespace fovea::ops
