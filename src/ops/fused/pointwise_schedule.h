// SPDX-License-Identifier: Apache-2.0
// A pointwise program made ready to run tile by tile: which tile function computes what from where, in which buffer.
#pragma once

#include <span>
#include <vector>

#include "fovea/tensor.h"
#include "ops/fused/pointwise_loops.h"
#include "ops/fused/pointwise_patterns.h"
#include "ops/fused/pointwise_tables.h"

namespace fovea::cpu {

class PointwiseSchedule {
 public:
  /// `constants`: per input the tensor if it is known, else undefined.
  static Result<PointwiseSchedule> create(PointwiseProgram program, std::span<const Tensor> constants, const PointwiseLoops& loops);

  /// Of one thread.
  std::size_t scratch_bytes() const { return static_cast<std::size_t>(buffers_) * kBufferBytes; }
  /// Rough cost of one element, in simple operations.
  std::int64_t work_per_element() const { return work_; }

  /// Tiles [begin, end) from tensor to tensor.
  void run(const PointwiseLoops& loops, const Arguments& arguments, char* scratch, std::int64_t begin, std::int64_t end) const;

 private:
  static constexpr std::size_t kBufferBytes = kTile * 8;
  static constexpr std::size_t kMaxCode = 256;

  /// How one value comes about; nothing for inputs, constants, and values that nobody needs.
  struct Value {
    PointwiseStep step;
    int tables = -1;  ///< index into tables_; then operand 0 is what is looked up
    int buffer = -1;
    int output = -1;  ///< the first output it is
    bool is_computed() const { return step.function != nullptr || tables >= 0; }
  };
  struct Tables {
    std::vector<std::uint8_t> bytes;
    int index_input = -1;  ///< its element's place is the table's number; -1: one table
  };
  /// What a thread keeps from tile to tile.
  struct Tile {
    char* scratch;
    const void* value[kMaxCode];
    const void* expanded[kMaxCode] = {};  ///< source of an expansion that repeats
    std::int64_t expanded_elements[kMaxCode] = {};
  };

  Status choose_steps(std::span<const Tensor> constants, const PointwiseLoops& loops);
  Status fill_tables(const TablePart& part, std::span<const Tensor> constants, Tables& tables) const;
  void assign_buffers();
  char* buffer(const Tile& tile, std::size_t v) const { return tile.scratch + static_cast<std::size_t>(values_[v].buffer) * kBufferBytes; }
  void fill_constants(Tile& tile) const;
  void bind_input(const PointwiseLoops& loops, const Arguments& arguments, const TilePlace& place, std::size_t v, Tile& tile) const;
  void compute(const PointwiseLoops& loops, const Arguments& arguments, const TilePlace& place, std::size_t v, Tile& tile) const;

  PointwiseProgram program_;
  std::vector<Value> values_;
  std::vector<Tables> tables_;
  int buffers_ = 0;
  std::int64_t work_ = 0;
};

}  // namespace fovea::cpu
