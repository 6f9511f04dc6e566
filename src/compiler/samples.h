// SPDX-License-Identifier: Apache-2.0
// Inputs for verification, tuning and `run`/`bench` when the user gives none.
#pragma once

#include <cstdint>

#include "base/check.h"
#include "base/datum.h"

namespace fovea {

/// A seeded tensor in a plausible range, the same on every machine: floats uniform in [0,1) (a picture scaled by
/// 1/255), u8 uniform in 0..255, i8 in -128..127, bool true, i64 320 (a picture's size), other integers 1.
Result<Tensor> make_sample(DataType type, const Shape& shape, std::uint64_t seed);

}  // namespace fovea
