// SPDX-License-Identifier: Apache-2.0
// Overflow-safe integer arithmetic for everything computed from a file's numbers.
#pragma once

#include <cstdint>
#include <span>

#include "base/check.h"

namespace fovea {

/// result = a * b; false when it does not fit.
inline bool checked_mul(std::int64_t a, std::int64_t b, std::int64_t& result) { return !__builtin_mul_overflow(a, b, &result); }
/// result = a + b; false when it does not fit.
inline bool checked_add(std::int64_t a, std::int64_t b, std::int64_t& result) { return !__builtin_add_overflow(a, b, &result); }

/// Product of non-negative extents, or an error that names the extents.
inline Result<std::int64_t> checked_elements(std::span<const std::int64_t> dims) {
  std::int64_t product = 1;
  for (std::int64_t extent : dims) {
    if (extent < 0) return invalid_argument("shape: negative extent ", extent);
    if (!checked_mul(product, extent, product)) return invalid_argument("shape: number of elements overflows 63 bits");
  }
  return product;
}

}  // namespace fovea
