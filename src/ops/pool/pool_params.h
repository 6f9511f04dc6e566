// SPDX-License-Identifier: Apache-2.0
// Parameters of AveragePool, MaxPool and LpPool as kernels and shape rules see them.
#pragma once

#include "ops/conv/window.h"

namespace fovea::ops {

/// Everything concrete about one pooling.
struct PoolGeometry {
  std::int64_t batch = 1, channels = 1;
  std::vector<WindowAxis> axes;  ///< one per spatial axis

  /// [batch, channels, outputs...]
  Shape output_shape() const;
};

struct PoolParams {
  WindowParams window;             ///< the kernel is always known
  bool count_include_pad = false;  ///< AveragePool: padding counts as zeros (the part that ceil_mode adds never does)
  bool column_major = false;       ///< MaxPool: indices count spatial axes first to last (storage_order 1)
  std::int64_t p = 2;              ///< LpPool

  /// `rank` is that of x. Names the attribute that makes no sense.
  static Result<PoolParams> parse(const Attributes& attributes, int rank);
  Result<PoolGeometry> resolve(const Shape& x) const;
};

}  // namespace fovea::ops
