// SPDX-License-Identifier: Apache-2.0
// Parameters of Col2Im: the blocks of a sliding window, laid back into an image of any number of spatial axes.
#pragma once

#include "ops/conv/window.h"

namespace fovea::ops {

/// One axis per entry of `image`: input is the image's extent, kernel the block's, output the number of blocks.
Result<std::vector<WindowAxis>> resolve_col2im(const Attributes& attributes, std::span<const std::int64_t> image,
                                               std::span<const std::int64_t> block);

}  // namespace fovea::ops
