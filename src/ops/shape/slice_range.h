// SPDX-License-Identifier: Apache-2.0
// start:end:step of one axis, clamped as ONNX says: like NumPy, except that a start before the first element of a
// backward slice means the first element.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>

namespace fovea::ops {

struct SliceRange {
  std::int64_t start = 0, step = 1, length = 0;  ///< elements start, start + step, ...
};

/// `step` must not be 0; any other numbers are fine, INT64_MIN and INT64_MAX included.
inline SliceRange slice_range(std::int64_t start, std::int64_t end, std::int64_t step, std::int64_t extent) {
  const auto from_front = [&](std::int64_t at) { return at < 0 ? std::max(at, -extent - 1) + extent : at; };  // -1 = before the first
  if (step == std::numeric_limits<std::int64_t>::min()) ++step;
  SliceRange range;
  range.step = step;
  if (extent == 0) return range;
  if (step > 0) {
    range.start = std::clamp<std::int64_t>(from_front(start), 0, extent);
    const std::int64_t stop = std::clamp<std::int64_t>(from_front(end), 0, extent);
    range.length = range.start < stop ? (stop - range.start - 1) / step + 1 : 0;
  } else {
    range.start = std::clamp<std::int64_t>(from_front(start), 0, extent - 1);
    const std::int64_t stop = std::clamp<std::int64_t>(from_front(end), -1, extent - 1);
    range.length = range.start > stop ? (range.start - stop - 1) / -step + 1 : 0;
  }
  if (range.length == 0) range.start = 0;
  return range;
}

}  // namespace fovea::ops
