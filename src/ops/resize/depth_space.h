// SPDX-License-Identifier: Apache-2.0
// Parameters of DepthToSpace and SpaceToDepth.
#pragma once

#include "base/attributes.h"
#include "base/check.h"

namespace fovea::ops {

/// Block edge in 1..32768, for an input that must have rank 4.
Result<std::int64_t> parse_blocksize(const Attributes& attributes, int rank);

}  // namespace fovea::ops
