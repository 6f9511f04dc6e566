// SPDX-License-Identifier: Apache-2.0
// Shape and Size.
#include <algorithm>

#include "ops/kernel_context.h"

namespace fovea::ops {

Status shape_reference(KernelContext& context) {
  const Shape& shape = context.input(0).shape();
  const std::int64_t rank = shape.rank();
  const auto clamp = [&](std::int64_t at) { return std::clamp<std::int64_t>(at < 0 ? at + rank : at, 0, rank); };
  const std::int64_t start = clamp(context.attributes().get_int("start"));
  const std::int64_t end = std::max(start, clamp(context.attributes().get_int("end", rank)));
  FOVEA_ASSIGN(Tensor output, context.output(0, DataType::i64, {end - start}));
  std::copy(shape.begin() + start, shape.begin() + end, output.data<std::int64_t>());
  return {};
}

Status size_reference(KernelContext& context) {
  FOVEA_ASSIGN(Tensor output, context.output(0, DataType::i64, {}));
  *output.data<std::int64_t>() = context.input(0).elements();
  return {};
}

}  // namespace fovea::ops
