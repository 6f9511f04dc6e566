// SPDX-License-Identifier: Apache-2.0
// Strips: steps on reference kernels that run together, a strip of rows at a time (see PlanStrips), made ready for concrete shapes.
#pragma once

#include <vector>

#include "base/datum.h"
#include "base/tensor_desc.h"
#include "engine/plan.h"

namespace fovea {

/// The largest value of a strip takes about so much: enough rows to share among threads, little enough to forget.
inline constexpr std::int64_t kStripBytes = 8 << 20;

class Strips {
 public:
  /// Descriptors of all values of the plan; `uses_outside[v]`: value v is needed beyond these steps.
  Strips(const Plan& plan, const PlanStrips& steps, const std::vector<TensorDesc>& descs, const std::vector<char>& uses_outside);

  int first() const { return steps_.first; }
  int last() const { return steps_.last; }
  /// True for a value of which only a strip exists.
  bool passes(int value) const;
  /// Memory that such a value takes.
  std::size_t bytes(const TensorDesc& desc) const;

  /// How many strips there are.
  std::int64_t count() const { return blocks_ * strips_per_block_; }
  /// The part of a step's input or output that strip number `strip` works on; `address` is where the whole value begins,
  /// or the strip's memory for a value that passes().
  Datum input(const PlanStep& step, int index, const TensorDesc& desc, const void* address, std::int64_t strip) const;
  Datum output(const PlanStep& step, int index, const TensorDesc& desc, const void* address, std::int64_t strip) const;

 private:
  Datum cut(int value, int axis, const TensorDesc& desc, const void* address, std::int64_t strip) const;

  PlanStrips steps_;
  Shape rows_;                      // extents 0 .. axis of all outputs
  int rank_ = 0;                    // of all outputs
  std::int64_t blocks_ = 1;         // indices before the axis
  std::int64_t strips_per_block_ = 1, rows_per_strip_ = 1;
  std::vector<int> passing_;
};

}  // namespace fovea
