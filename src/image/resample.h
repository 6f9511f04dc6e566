// SPDX-License-Identifier: Apache-2.0
// Resizing of pictures in integer arithmetic: the same bits on every machine, every time.
#pragma once

#include "fovea/task.h"

namespace fovea::image {

enum class Filter {
  Nearest,
  Bilinear,  ///< pixel centres at half-integers, as OpenCV's INTER_LINEAR and PyTorch's align_corners=False
  Bicubic,   ///< Keys, a = -0.5, as Pillow
  Area,      ///< mean over the covered source pixels
};

/// With `antialias`, bilinear and bicubic widen with the scale when shrinking and give Pillow's bytes; without it they
/// look at 2x2 and 4x4 source pixels only, as OpenCV does. Sizes must be positive.
Picture resample(const Picture& source, int width, int height, Filter filter, bool antialias);

}  // namespace fovea::image
