// SPDX-License-Identifier: Apache-2.0
// Whether outputs have the shapes that the operator's own rule finds for its inputs. Tuned kernels trust the shapes they
// are given; an engine from a stranger may lie about them.
#pragma once

#include "device/kernel.h"

namespace fovea {

/// InvalidModel when the rule contradicts an output's type or shape, or fails. Ok when it confirms them or cannot know.
Status confirm_shapes(const Problem& problem);

}  // namespace fovea
