// SPDX-License-Identifier: Apache-2.0
// Squeeze and Unsqueeze: the output shares the input's memory.
#include <algorithm>

#include "ops/axis.h"
#include "ops/kernel_context.h"

namespace fovea::ops {

Status squeeze_reference(KernelContext& context) {
  const Tensor& data = context.input(0);
  std::vector<char> dropped(static_cast<std::size_t>(data.rank()), 0);
  if (context.has_input(1)) {
    FOVEA_ASSIGN(const auto listed, int_values(context.input(1), "axes"));
    FOVEA_ASSIGN(const auto axes, normalize_axes(listed, data.rank()));
    for (int axis : axes) {
      if (data.dim(axis) != 1) {
        return invalid_argument("axis ", axis, " has extent ", data.dim(axis), "; only extent 1 can be squeezed");
      }
      dropped[static_cast<std::size_t>(axis)] = 1;
    }
  } else {
    for (int i = 0; i < data.rank(); ++i) dropped[static_cast<std::size_t>(i)] = data.dim(i) == 1;
  }
  Shape shape;
  for (int i = 0; i < data.rank(); ++i) {
    if (!dropped[static_cast<std::size_t>(i)]) shape.push_back(data.dim(i));
  }
  context.set_output(0, data.reshaped(shape));
  return {};
}

Status unsqueeze_reference(KernelContext& context) {
  const Tensor& data = context.input(0);
  FOVEA_ASSIGN(const auto listed, int_values(context.input(1), "axes"));
  const std::size_t rank = static_cast<std::size_t>(data.rank()) + listed.size();
  if (rank > kMaxRank) return unsupported("rank ", rank, ": at most ", kMaxRank, " dimensions are supported");
  FOVEA_ASSIGN(const auto axes, normalize_axes(listed, static_cast<int>(rank)));
  Shape shape;
  int next = 0;
  for (int i = 0; i < static_cast<int>(rank); ++i) {
    const bool added = std::find(axes.begin(), axes.end(), i) != axes.end();
    shape.push_back(added ? 1 : data.dim(next++));
  }
  context.set_output(0, data.reshaped(shape));
  return {};
}

}  // namespace fovea::ops
