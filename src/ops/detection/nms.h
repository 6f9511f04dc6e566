// SPDX-License-Identifier: Apache-2.0
// Greedy non-maximum suppression over the boxes of one class of one image: the task, and two versions of it with equal
// results. Candidates are taken in order of falling score (ties: lower index first); one is kept unless a box kept
// before overlaps it by more than iou_threshold. A NaN score never takes part, a NaN box overlaps nothing.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>
#include <vector>

#include "ops/detection/rotated_box.h"

namespace fovea::ops {

enum class BoxCoding {
  Corners,  ///< any two opposite corners (x, y, x, y); the names of the axes do not matter
  Centre,   ///< centre and size (x, y, width, height)
  Rotated,  ///< centre, size and angle in radians
};

/// Corners in any unit, low <= high.
struct Box {
  float x1, y1, x2, y2;

  static Box from(const float* v, BoxCoding coding) {
    if (coding == BoxCoding::Centre) return {v[0] - v[2] / 2, v[1] - v[3] / 2, v[0] + v[2] / 2, v[1] + v[3] / 2};
    return {std::min(v[0], v[2]), std::min(v[1], v[3]), std::max(v[0], v[2]), std::max(v[1], v[3])};
  }
  /// `offset` is added to both edges: 1 where the corners are the first and last pixel.
  float area(float offset) const { return (x2 - x1 + offset) * (y2 - y1 + offset); }
};

/// Intersection over union, in float like every implementation; NaN where boxes do not overlap: those without area, and
/// those that only touch.
inline float overlap_ratio(const Box& a, const Box& b, float offset) {
  constexpr float kNone = std::numeric_limits<float>::quiet_NaN();
  const float width = std::min(a.x2, b.x2) - std::max(a.x1, b.x1) + offset,
              height = std::min(a.y2, b.y2) - std::max(a.y1, b.y1) + offset;
  const float area_a = a.area(offset), area_b = b.area(offset);
  if (!(width > 0 && height > 0 && area_a > 0 && area_b > 0)) return kNone;
  const float intersection = width * height, total = area_a + area_b - intersection;
  return total > 0 ? intersection / total : kNone;
}
/// By more than the threshold.
inline bool overlaps(const Box& a, const Box& b, float offset, float threshold) {
  return overlap_ratio(a, b, offset) > threshold;
}

struct NmsTask {
  const float* boxes = nullptr;  ///< box i begins at boxes + i / shared * box_stride
  std::int64_t box_stride = 4;
  std::int64_t shared = 1;  ///< consecutive scores that share a box: the classes, where they compete
  const float* scores = nullptr;
  std::int64_t count = 0;  ///< of scores
  BoxCoding coding = BoxCoding::Corners;
  float offset = 0;
  float iou_threshold = 0;
  std::optional<float> above;                                          ///< only greater scores take part
  std::int64_t candidates = std::numeric_limits<std::int64_t>::max();  ///< at most so many of the best take part
  std::int64_t limit = std::numeric_limits<std::int64_t>::max();       ///< at most so many are kept

  const float* box(std::int64_t i) const { return boxes + (shared == 1 ? i : i / shared) * box_stride; }
};

/// The greatest float below `threshold`: score > that means score >= threshold.
float just_below(float threshold);

/// Plain loops: indices of the kept scores, best first.
std::vector<std::int64_t> keep_best_plain(const NmsTask& task);

/// Working memory of keep_best for tasks of up to `count` scores that keep up to `limit`.
class NmsScratch {
 public:
  static std::size_t bytes(std::int64_t count, std::int64_t limit);
  /// `memory` is aligned to 64 bytes and outlives this.
  NmsScratch(void* memory, std::int64_t count, std::int64_t limit);

  std::uint64_t *keys, *spare;  ///< `count` each
  float* kept;                  ///< kKeptValues arrays of `capacity`
  std::int64_t capacity;        ///< whole vectors of any instruction set
  static constexpr std::int64_t kKeptValues = 6;
};

/// The same as keep_best_plain, exactly, without allocating: threshold scan and overlap in vectors, radix sort. Writes
/// indices to `kept` (room for min(limit, count)) and returns how many. count <= INT32_MAX.
std::int64_t keep_best(const NmsTask& task, const NmsScratch& scratch, std::int32_t* kept);

}  // namespace fovea::ops
