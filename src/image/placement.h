// SPDX-License-Identifier: Apache-2.0
// Where a picture goes on a network's input: how large it becomes and where its corner lies. No pixels here.
#pragma once

#include "image/network_input.h"

namespace fovea::image {

struct Placement {
  int width = 0, height = 0;              ///< of the network's input
  int inner_width = 0, inner_height = 0;  ///< of the resized picture
  int left = 0, top = 0;                  ///< of the resized picture on the input; negative where it is cut
};

/// For every fit. InvalidArgument when a side would be nothing or beyond 16384.
Result<Placement> place(int picture_width, int picture_height, const InputSpec& spec);

}  // namespace fovea::image
