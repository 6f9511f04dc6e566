// SPDX-License-Identifier: Apache-2.0
#include "ops/detection/corner_pool.h"

#include "base/element_types.h"
#include "ops/widen.h"

namespace fovea::ops {

Status corner_pool_reference(KernelContext& context) {
  FOVEA_ASSIGN(const CornerPoolMode mode, corner_pool_mode(context.attributes()));
  FOVEA_ASSIGN(const Tensor x, widened(context.input(0)));
  if (x.rank() != 4) return invalid_argument("input 0: expected rank 4, found ", x.shape().to_string());
  FOVEA_ASSIGN(WideOutput y, WideOutput::create(context, 0, context.input(0).type(), x.shape()));
  if (x.elements() == 0) return y.finish();
  const std::int64_t height = x.dim(2), width = x.dim(3);
  const std::int64_t count = along_rows(mode) ? width : height, stride = along_rows(mode) ? 1 : width;
  Status status = dispatch<float, double>(x.type(), "MMCVCornerPool", [&](auto tag) -> Status {
    using T = typename decltype(tag)::type;
    for (std::int64_t line = 0; line < x.elements() / count; ++line) {
      const std::int64_t first = along_rows(mode) ? line * width : line / width * height * width + line % width;
      T running = 0;
      for (std::int64_t i = 0; i < count; ++i) {
        const std::int64_t at = first + (backward(mode) ? count - 1 - i : i) * stride;
        running = i == 0 ? x.data<T>()[at] : larger(x.data<T>()[at], running);
        y.data<T>()[at] = running;
      }
    }
    return {};
  });
  if (!status.ok()) return status;
  return y.finish();
}

}  // namespace fovea::ops
