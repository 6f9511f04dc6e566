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
  /// Of one thread: numbers of a pixel, its taps, its result.
  std::size_t scratch_floats() const;
};

/// Output pixels begin..end-1, counted over all images. `scratch` is 64-byte aligned.
using Dcnv4Loop = void (*)(const Dcnv4Job& job, const void* value, const void* offset, void* y, std::int64_t begin, std::int64_t end, float* scratch);

/// For tensors of f32, f16 or bf16; null for other types.
Dcnv4Loop dcnv4_loop(DataType type);

}  // namespace fovea::ops
