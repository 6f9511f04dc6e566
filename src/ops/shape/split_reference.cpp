// SPDX-License-Identifier: Apache-2.0
// Split: each output is copied out of its slice of the input.
#include "base/strided_copy.h"
#include "ops/axis.h"
#include "ops/kernel_context.h"

namespace fovea::ops {

namespace {

Result<std::vector<std::int64_t>> part_sizes(const KernelContext& context, std::int64_t extent) {
  const std::int64_t parts = context.num_outputs();
  std::vector<std::int64_t> sizes;
  if (context.has_input(1)) {
    FOVEA_ASSIGN(sizes, int_values(context.input(1), "split"));
    if (static_cast<std::int64_t>(sizes.size()) != parts) return invalid_argument("split has ", sizes.size(), " sizes for ", parts, " outputs");
  } else {
    const std::int64_t wanted = context.attributes().get_int("num_outputs", parts);
    if (wanted != parts) return invalid_argument("num_outputs is ", wanted, " but the node has ", parts, " outputs");
    const std::int64_t chunk = (extent + parts - 1) / parts;
    sizes.assign(static_cast<std::size_t>(parts), chunk);
    sizes.back() = extent - (parts - 1) * chunk;
  }
  std::int64_t left = extent;
  for (std::int64_t size : sizes) {
    if (size < 0 || size > left) return invalid_argument("split size ", size, " does not fit an extent of ", extent);
    left -= size;
  }
  if (left != 0) return invalid_argument("split sizes leave ", left, " of an extent of ", extent);
  return sizes;
}

}  // namespace

Status split_reference(KernelContext& context) {
  const Tensor& data = context.input(0);
  FOVEA_ASSIGN(const int axis, normalize_axis(context.attributes().get_int("axis"), data.rank()));
  FOVEA_ASSIGN(const auto sizes, part_sizes(context, data.dim(axis)));
  const Shape strides = dense_strides(data.shape());
  std::int64_t at = 0;
  for (int i = 0; i < context.num_outputs(); ++i) {
    Shape shape = data.shape();
    shape[axis] = sizes[static_cast<std::size_t>(i)];
    FOVEA_ASSIGN(Tensor output, context.output(i, data.type(), shape));
    if (output.elements() > 0) {
      strided_copy(data.type(), shape.dims(), element_at(data.type(), data.raw(), at * strides[axis]), strides.dims(), output.raw(),
                   dense_strides(shape).dims());
    }
    at += shape[axis];
  }
  return {};
}

}  // namespace fovea::ops
