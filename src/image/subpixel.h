// SPDX-License-Identifier: Apache-2.0
// Letterbox without rounding: an affine warp whose scale is exactly that of the tighter side.
#pragma once

#include "image/network_input.h"

namespace fovea::image {

/// Bilinear in exact rational arithmetic, halves up; outside the picture every sample is `fill`, so its rim blends into
/// it. Sizes as in `spec`, which must be a letterbox; `transform` gets the scale and place.
Picture letterbox_subpixel(const Picture& picture, const InputSpec& spec, ImageTransform& transform);

}  // namespace fovea::image
