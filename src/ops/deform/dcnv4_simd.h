// SPDX-License-Identifier: Apache-2.0
// The vector loops of DCNv4 for one range of output pixels.
#pragma once

#include "ops/deform/dcnv4.h"

namespace fovea::ops {

/// What the loops need of one problem. Everything counts in elements; one image has fewer than 2^31.
struct Dcnv4Job {
  Dcnv4Params params;
  Dcnv4Geometry geometry;
  std::vector<float> window_x, window_y;  ///< of each point; a vector longer than that

  static Dcnv4Job create(const Dcnv4Params& params, const Dcnv4Geometry& geometry);

  // Scratch of one thread: a pixel's numbers, its result, places and weights of a group's taps. Each part has room for what
  // a vector reads or writes behind its end; all are whole cache lines.
  static constexpr std::int64_t kWidestVector = 16;
  static std::int64_t with_room(std::int64_t floats) { return (floats + 2 * kWidestVector + 15) / 16 * 16; }
  std::int64_t number_floats() const { return with_room(params.offset_channels()); }
  std::int64_t result_floats() const { return with_room(params.channels()); }
  std::int64_t tap_floats() const { return with_room(4 * params.points()); }
  std::size_t scratch_floats() const { return static_cast<std::size_t>(number_floats() + result_floats() + 2 * tap_floats()); }
};

/// Output pixels begin..end-1, counted over all images. `scratch` is 64-byte aligned.
using Dcnv4Loop = void (*)(const Dcnv4Job& job, const void* value, const void* offset, void* y, std::int64_t begin, std::int64_t end, float* scratch);

/// For tensors of f32, f16 or bf16; null for other types.
Dcnv4Loop dcnv4_loop(DataType type);

}  // namespace fovea::ops
