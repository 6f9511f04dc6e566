// SPDX-License-Identifier: Apache-2.0
// Parameters of MaxUnpool: the extents that a MaxPool with this window had before pooling.
#pragma once

#include "ops/conv/window.h"

namespace fovea::ops {

/// Extent on spatial axis `axis` that gives `pooled` outputs: (pooled - 1) * stride + kernel - pads.
Result<Dim> unpooled_extent(const WindowParams& window, int axis, const Dim& pooled);

}  // namespace fovea::ops
