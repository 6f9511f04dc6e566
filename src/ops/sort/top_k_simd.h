// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bit>
#include <cstdint>

namespace fovea::cpu {

/// Rank of an element in TopK, ascending: better elements, then lower indices (the lower half).
inline std::uint64_t top_k_key(float x, bool largest, std::int64_t index) {
  const auto bits = std::bit_cast<std::uint32_t>(x + 0.0f);                                     // -0 ties with 0
  const std::uint32_t rising = x != x ? 0xffffffffu : bits >> 31 ? ~bits : bits | 0x80000000u;  // NaN is the largest
  return std::uint64_t{largest ? ~rising : rising} << 32 | static_cast<std::uint32_t>(index);
}

/// Keys of x[0 .. n-1], indices counted from `first`, of all elements that may be better than `bar`. Returns how many.
std::int64_t top_k_better(const float* x, std::int64_t n, float bar, bool largest, std::int64_t first,
                          std::uint64_t* keys);

}  // namespace fovea::cpu
