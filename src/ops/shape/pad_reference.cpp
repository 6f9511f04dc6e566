// SPDX-License-Identifier: Apache-2.0
// Pad: dst[i] = src[i - before] inside; outside a constant, or the source index that the mode gives. As in NumPy,
// negative pads crop first and the mode repeats what is left.
#include <algorithm>

#include "base/checked_math.h"
#include "base/strided_copy.h"
#include "ops/axis.h"
#include "ops/fill.h"
#include "ops/kernel_context.h"

namespace fovea::ops {

namespace {

struct Border {
  std::int64_t before = 0, after = 0;
};

// Per axis how much is added (positive) or cropped (negative) on both sides.
Result<std::vector<Border>> borders_of(const KernelContext& context, int rank) {
  FOVEA_ASSIGN(const auto pads, int_values(context.input(1), "pads"));
  std::vector<std::int64_t> listed;
  if (context.has_input(3)) {
    FOVEA_ASSIGN(listed, int_values(context.input(3), "axes"));
  } else {
    for (int axis = 0; axis < rank; ++axis) listed.push_back(axis);
  }
  FOVEA_ASSIGN(const auto axes, normalize_axes(listed, rank));
  if (pads.size() != 2 * axes.size()) {
    return invalid_argument("pads has ", pads.size(), " entries; expected two for each of ", axes.size(), " axes");
  }
  std::vector<Border> borders(static_cast<std::size_t>(rank));
  for (std::size_t i = 0; i < axes.size(); ++i) borders[static_cast<std::size_t>(axes[i])] = {pads[i], pads[i + axes.size()]};
  return borders;
}

// Index into an extent of n > 0 for a position that may lie outside, however far.
std::int64_t source_index(std::string_view mode, std::int64_t at, std::int64_t n) {
  if (mode == "edge") return std::clamp<std::int64_t>(at, 0, n - 1);
  if (mode == "wrap") return ((at % n) + n) % n;
  if (n == 1) return 0;
  const std::int64_t period = 2 * (n - 1);  // reflect: 0 1 2 1 0 1 2 ...
  const std::int64_t phase = ((at % period) + period) % period;
  return phase < n ? phase : period - phase;
}

}  // namespace

Status pad_reference(KernelContext& context) {
  const Tensor& data = context.input(0);
  const std::string mode = context.attributes().get_string("mode", "constant");
  const int rank = data.rank();
  FOVEA_ASSIGN(const auto borders, borders_of(context, rank));
  Shape shape, kept;                // extents of the output and of what is left of the input
  std::int64_t src_origin = 0, dst_origin = 0;
  const Shape src_strides = dense_strides(data.shape());
  for (int axis = 0; axis < rank; ++axis) {
    const auto [before, after] = borders[static_cast<std::size_t>(axis)];
    std::int64_t extent = 0;
    if (!checked_add(data.dim(axis), before, extent) || !checked_add(extent, after, extent) || extent < 0) {
      return invalid_argument("pads ", before, " and ", after, " do not fit axis ", axis, " of extent ", data.dim(axis));
    }
    shape.push_back(extent);
    const std::int64_t cropped_before = std::min(std::max<std::int64_t>(-before, 0), data.dim(axis));
    const std::int64_t cropped = cropped_before + std::max<std::int64_t>(-after, 0);
    kept.push_back(std::max<std::int64_t>(data.dim(axis) - cropped, 0));
    src_origin += cropped_before * src_strides[axis];
  }
  FOVEA_ASSIGN(Tensor output, context.output(0, data.type(), shape));
  if (output.elements() == 0) return {};
  const Shape dst_strides = dense_strides(shape);
  const void* src = element_at(data.type(), data.raw(), src_origin);

  if (mode == "constant") {
    const Tensor value = context.has_input(2) ? context.input(2) : Tensor();
    if (value.defined() && (value.type() != data.type() || value.elements() != 1)) {
      return invalid_argument("constant_value: expected one ", name(data.type()), ", found ", value.elements(), " ", name(value.type()));
    }
    fill(output, value);
    for (int axis = 0; axis < rank; ++axis) dst_origin += std::max<std::int64_t>(borders[static_cast<std::size_t>(axis)].before, 0) * dst_strides[axis];
    if (kept.elements() > 0) {
      strided_copy(data.type(), kept.dims(), src, src_strides.dims(), element_at(data.type(), output.raw(), dst_origin), dst_strides.dims());
    }
    return {};
  }
  // Each axis in turn as a table of source offsets; the innermost run is copied element by element.
  if (kept.elements() == 0) return invalid_argument("mode '", mode, "' has nothing to repeat: the input is empty after cropping");
  std::vector<std::vector<std::int64_t>> offsets(static_cast<std::size_t>(rank));
  for (int axis = 0; axis < rank; ++axis) {
    const std::int64_t before = std::max<std::int64_t>(borders[static_cast<std::size_t>(axis)].before, 0);
    for (std::int64_t i = 0; i < shape[axis]; ++i) {
      offsets[static_cast<std::size_t>(axis)].push_back(source_index(mode, i - before, kept[axis]) * src_strides[axis]);
    }
  }
  gather_by_offsets(data.type(), src, offsets, output.raw());
  return {};
}

}  // namespace fovea::ops
