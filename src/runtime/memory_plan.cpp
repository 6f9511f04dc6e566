// SPDX-License-Identifier: Apache-2.0
#include "runtime/memory_plan.h"

#include <algorithm>
#include <numeric>

#include "base/checked_math.h"

namespace fovea {

Result<std::size_t> plan_memory(std::vector<MemoryBlock>& blocks, std::size_t alignment) {
  std::vector<std::size_t> order(blocks.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return blocks[a].bytes > blocks[b].bytes; });
  std::vector<std::size_t> placed;  // sorted by offset
  std::int64_t arena = 0;
  for (std::size_t id : order) {
    MemoryBlock& block = blocks[id];
    std::int64_t offset = 0;
    for (std::size_t other : placed) {
      const MemoryBlock& taken = blocks[other];
      if (taken.last < block.first || block.last < taken.first) continue;
      if (static_cast<std::int64_t>(taken.offset) >= offset + static_cast<std::int64_t>(block.bytes)) break;
      const std::size_t end = (taken.offset + taken.bytes + alignment - 1) / alignment * alignment;
      offset = std::max(offset, static_cast<std::int64_t>(end));
    }
    std::int64_t end = 0;
    if (!checked_add(offset, static_cast<std::int64_t>(block.bytes), end)) return resource_exhausted("memory plan: arena overflows");
    block.offset = static_cast<std::size_t>(offset);
    arena = std::max(arena, end);
    placed.insert(std::upper_bound(placed.begin(), placed.end(), id, [&](std::size_t a, std::size_t b) { return blocks[a].offset < blocks[b].offset; }), id);
  }
  return static_cast<std::size_t>(arena);
}

}  // namespace fovea
