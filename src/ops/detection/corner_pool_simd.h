// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace fovea::cpu {

/// y[i] = the larger of a[i] and b[i]; NaN wins. y may be a or b.
void larger_of(const float* a, const float* b, float* y, std::int64_t n);

}  // namespace fovea::cpu
