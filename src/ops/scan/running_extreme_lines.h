// SPDX-License-Identifier: Apache-2.0
// Vector loops of cummax and cummin over f32 and i32. `maximum` chooses the direction; the last of equals counts, and a
// NaN is never given up for a number.
#pragma once

#include <cstdint>

namespace fovea::cpu {

template <class T>
struct RunningExtremeLoops {
  /// One line of n >= 1 elements that are neighbours.
  void (*row)(const T* x, T* values, std::int64_t* indices, std::int64_t n, bool maximum);
  /// `n` neighbouring lines whose elements are `stride` apart. `held_at` has room for n numbers.
  void (*columns)(const T* x, T* values, std::int64_t* indices, std::int64_t extent, std::int64_t stride, std::int64_t n, std::int32_t* held_at,
                  bool maximum);
};

/// For the machine this runs on; T is float or std::int32_t.
template <class T>
const RunningExtremeLoops<T>& running_extreme_loops();

}  // namespace fovea::cpu
