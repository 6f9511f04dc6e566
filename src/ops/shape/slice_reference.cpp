// SPDX-License-Identifier: Apache-2.0
// Slice: a copy out of a strided view.
#include "base/strided_copy.h"
#include "ops/axis.h"
#include "ops/kernel_context.h"
#include "ops/shape/slice_range.h"

namespace fovea::ops {

Status slice_reference(KernelContext& context) {
  const Tensor& data = context.input(0);
  FOVEA_ASSIGN(const auto starts, int_values(context.input(1), "starts"));
  FOVEA_ASSIGN(const auto ends, int_values(context.input(2), "ends"));
  std::vector<std::int64_t> listed, steps(starts.size(), 1);
  if (context.has_input(3)) {
    FOVEA_ASSIGN(listed, int_values(context.input(3), "axes"));
  } else {
    for (std::size_t i = 0; i < starts.size(); ++i) listed.push_back(static_cast<std::int64_t>(i));
  }
  if (context.has_input(4)) {
    FOVEA_ASSIGN(steps, int_values(context.input(4), "steps"));
  }
  FOVEA_ASSIGN(const auto axes, normalize_axes(listed, data.rank()));
  if (starts.size() != axes.size() || ends.size() != axes.size() || steps.size() != axes.size()) {
    return invalid_argument("starts, ends, axes and steps must have the same length, found ", starts.size(), ", ", ends.size(), ", ",
                            axes.size(), ", ", steps.size());
  }
  Shape shape = data.shape(), strides = dense_strides(shape);
  std::int64_t origin = 0;
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const int axis = axes[i];
    if (steps[i] == 0) return invalid_argument("step of axis ", axis, " is 0");
    const SliceRange range = slice_range(starts[i], ends[i], steps[i], shape[axis]);
    origin += range.start * strides[axis];
    shape[axis] = range.length;
    // With fewer than two elements the stride is never taken and the step may be enormous.
    if (range.length > 1) strides[axis] *= range.step;
  }
  FOVEA_ASSIGN(Tensor output, context.output(0, data.type(), shape));
  if (output.elements() == 0) return {};
  strided_copy(data.type(), shape.dims(), element_at(data.type(), data.raw(), origin), strides.dims(), output.raw(),
               dense_strides(shape).dims());
  return {};
}

}  // namespace fovea::ops
