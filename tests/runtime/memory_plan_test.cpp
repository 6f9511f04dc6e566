// SPDX-License-Identifier: Apache-2.0
#include "runtime/memory_plan.h"

#include <gtest/gtest.h>

#include <random>

namespace fovea {
namespace {

TEST(PlanMemory, BlocksThatNeverMeetShareBytes) {
  std::vector<MemoryBlock> blocks = {{100, 0, 1}, {100, 2, 3}, {50, 1, 2}};
  EXPECT_EQ(plan_memory(blocks, 64).value(), 128u + 50u);
  EXPECT_EQ(blocks[0].offset, blocks[1].offset);
}

TEST(PlanMemory, RandomBlocksNeverOverlapAndAreAligned) {
  std::mt19937 random(1);
  for (int round = 0; round < 20; ++round) {
    std::vector<MemoryBlock> blocks(60);
    for (MemoryBlock& block : blocks) {
      block.bytes = random() % 1000 + 1;
      block.first = static_cast<int>(random() % 50);
      block.last = block.first + static_cast<int>(random() % 10);
    }
    const std::size_t arena = plan_memory(blocks, 64).value();
    for (std::size_t a = 0; a < blocks.size(); ++a) {
      EXPECT_EQ(blocks[a].offset % 64, 0u);
      EXPECT_LE(blocks[a].offset + blocks[a].bytes, arena);
      for (std::size_t b = 0; b < a; ++b) {
        const bool meet = blocks[a].first <= blocks[b].last && blocks[b].first <= blocks[a].last;
        const bool apart = blocks[a].offset + blocks[a].bytes <= blocks[b].offset || blocks[b].offset + blocks[b].bytes <= blocks[a].offset;
        EXPECT_TRUE(!meet || apart) << "round " << round << " blocks " << a << " and " << b;
      }
    }
  }
}

}  // namespace
}  // namespace fovea
