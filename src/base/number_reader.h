// SPDX-License-Identifier: Apache-2.0
// Reads one element of a tensor of any numeric type as a double.
#pragma once

#include <cstdint>

#include "fovea/tensor.h"

namespace fovea {

/// 64-bit integers beyond 2^53 lose bits; strings and complex numbers give 0.
double read_number(const Tensor& tensor, std::int64_t index);

}  // namespace fovea
