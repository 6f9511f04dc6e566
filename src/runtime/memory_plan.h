// SPDX-License-Identifier: Apache-2.0
// Memory planning: places blocks with known lifetimes into one arena.
#pragma once

#include <cstddef>
#include <vector>

#include "base/check.h"

namespace fovea {

struct MemoryBlock {
  std::size_t bytes = 0;
  int first = 0, last = 0;      ///< steps at which the block is alive, both inclusive
  std::size_t offset = 0;       ///< result
};

/// Assigns offsets so that blocks alive at the same step do not overlap; each offset is a multiple of
/// `alignment`. Returns the arena's size. Largest blocks first, each at the lowest gap that fits.
Result<std::size_t> plan_memory(std::vector<MemoryBlock>& blocks, std::size_t alignment);

}  // namespace fovea
