// SPDX-License-Identifier: Apache-2.0
// Antialiased resizing, byte for byte as Pillow resizes 8-bit pictures (torchvision on PIL pictures does the same).
#pragma once

#include "image/resample.h"

namespace fovea::image {

/// Bilinear or bicubic (Keys, a = -0.5), widened by the scale along sides that shrink. Sizes must be positive.
Picture resample_antialiased(const Picture& source, int width, int height, Filter filter);

}  // namespace fovea::image
