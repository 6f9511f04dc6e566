// SPDX-License-Identifier: Apache-2.0
// The inner parts of the tuned GridSample: taps of a block of points, and ways to apply them.
#pragma once

#include <cstdint>

#include "ops/deform/grid_sample.h"

namespace fovea::cpu {

/// Points that are done together; a multiple of every vector's lanes.
inline constexpr int kPointBlock = 64;
inline constexpr int kMaxSampleAxes = 3;

/// One axis of a block: coordinates in, up to four taps a point out. A tap that padding turns into zeros has weight 0 and
/// some index inside.
struct alignas(64) AxisBlock {
  float coordinate[kPointBlock];
  std::int32_t index[4][kPointBlock];
  float weight[4][kPointBlock];
};

/// All taps of a block: element offsets and weights.
struct alignas(64) TapBlock {
  std::int32_t offset[64][kPointBlock];
  float weight[64][kPointBlock];
};

/// Beyond this positions are left to grid_taps(): they are rare, and f32 has no room for their fractions.
inline constexpr float kFarPosition = 0x1p20f;

/// A picture of a few channels with contiguous rows, and where its samples go. Steps are in elements.
struct FewPlanes {
  const float* x;
  float* y;
  std::int64_t height, width, channels;
  std::int64_t x_row, x_plane, y_plane;
};

/// Samples points from the front on, for nearest, or for linear and at least 2 x 2 pixels. `points` are pairs one behind the
/// other, y[i] belongs to the first of them. Returns how many points were done: whole vectors, up to the first with a position
/// that is not below kFarPosition. The same bits as with GridSampleOps.
std::int64_t sample_few_planes(const ops::GridSampleParams& params, const FewPlanes& planes, const float* points, std::int64_t count);

struct GridSampleOps {
  int lanes;
  /// Coordinates of a whole block whose points lie one behind the other, to `axes` blocks; the last coordinate is for the
  /// first axis.
  void (*split_coordinates)(const float* points, int axes, AxisBlock* blocks);
  /// index and weight from coordinate for all points of the block. False if some |position| is not below kFarPosition; these
  /// points get the taps of position 0. With two taps and extent >= 2, the second is the right neighbour of the first.
  bool (*find_axis_taps)(const ops::GridSampleParams& params, std::int64_t extent, AxisBlock& block);
  /// The products of the taps of all axes; `per_axis` taps on each, `strides` in elements.
  void (*multiply_axes)(const AxisBlock* axes, int count, int per_axis, const std::int64_t* strides, TapBlock& taps);
  /// One channel: y[i] = sum over taps of weight * plane[offset].
  void (*gather_plane)(const TapBlock& taps, int count, const float* plane, float* y, int points);
  /// The same where each odd tap is the right neighbour of the one before, in memory too.
  void (*gather_pairs)(const TapBlock& taps, int count, const float* plane, float* y, int points);
  /// Contiguous channels: y[i * step + c] for c < channels.
  void (*sum_pixels)(const TapBlock& taps, int count, const float* source, float* y, std::int64_t step, std::int64_t channels, int points);
  /// dst[column * dst_step + row] = src[row * src_step + column]
  void (*transpose)(const float* src, std::int64_t src_step, float* dst, std::int64_t dst_step, std::int64_t rows, std::int64_t columns);
  /// One vector of channels per place: y[i * lanes + c] = sum of weight * source[offset + c].
  void (*sum_vectors)(const TapBlock& taps, int count, const float* source, float* y, int points);
};

/// The functions for the machine this runs on.
const GridSampleOps& grid_sample_ops();

}  // namespace fovea::cpu
