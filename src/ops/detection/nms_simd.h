// SPDX-License-Identifier: Apache-2.0
// The two inner loops of non-maximum suppression for the instruction set at hand.
#pragma once

#include <cstdint>

namespace fovea::ops {
struct Box;
}

namespace fovea::cpu {

/// Boxes kept so far, an array per value, filled up to whole vectors with boxes of area 0.
struct KeptBoxes {
  float *x1, *y1, *x2, *y2, *area;
};

struct NmsFunctions {
  /// Keys of all scores above `*above` (null: all that are numbers), in order of index. Ascending keys are falling
  /// scores, then rising indices: upper half the score, lower half the index. Returns how many.
  std::int64_t (*candidates)(const float* scores, std::int64_t count, const float* above, std::uint64_t* keys);
  /// Whether one of `size` kept boxes overlaps this one by more than the threshold: ops::overlaps, rounding included.
  bool (*hidden)(const KeptBoxes& kept, std::int64_t size, const ops::Box& box, float area, float offset,
                 float threshold);
};

const NmsFunctions& nms_functions();

}  // namespace fovea::cpu
