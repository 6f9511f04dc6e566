// SPDX-License-Identifier: Apache-2.0
// The vector loops of DeformConv: corners of a run of samples, and their sums for channels that lie side by side (nhwc)
// or in planes (plain).
#pragma once

#include <cstdint>

namespace fovea::ops {

/// Samples whose corners are found together: output pixels under one tap.
inline constexpr std::int64_t kSamples = 64;

struct SampleCorners {
  // Corner by corner: top left, top right, bottom left, bottom right. -1: outside, or of weight zero.
  std::int32_t place[4][kSamples];
  float weight[4][kSamples];
};

/// Where the samples of one tap lie. Arrays have kSamples entries.
struct SamplePoints {
  const std::int32_t *base_y, *base_x;  ///< of the output pixels, before tap and offset
  std::int32_t tap_y, tap_x;
  const float *offset_y, *offset_x;
  const float* mask;                    ///< null: all 1
};

/// A plane of pixels; strides between rows and columns in elements.
struct SamplePlane {
  std::int32_t height, width, row, column;
};

struct DeformConvLoops {
  /// Corners of samples 0..kSamples-1. The part of an offset behind its whole number is the weight, so far-away bases
  /// cost no precision.
  void (*find_corners)(const SamplePlane& plane, const SamplePoints& points, SampleCorners& corners);
  /// y[s * stride + c] for `count` samples of `channels` neighbouring channels; `zeros` has as many.
  void (*sample_pixels)(const SampleCorners& corners, std::int64_t count, const float* x, std::int64_t channels, const float* zeros, float* y, std::int64_t stride);
  /// y[0..width-1] of one plane; `width` is a multiple of the vector and at most kSamples.
  void (*sample_plane)(const SampleCorners& corners, const float* x, std::int64_t width, float* y);
};

const DeformConvLoops& deform_conv_loops();

}  // namespace fovea::ops
