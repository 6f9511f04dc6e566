// SPDX-License-Identifier: Apache-2.0
// Resize as kernels and shape rules see it: parameters, the extents that follow, and for each axis a table of
// taps (which input elements with which weights make an output element). Resizing is separable: kernels differ
// only in how they apply the tables.
#pragma once

#include <cstdint>
#include <vector>

#include "base/attributes.h"
#include "base/check.h"

namespace fovea::ops {

enum class ResizeMode : std::uint8_t { Nearest, Linear, Cubic };
enum class NearestMode : std::uint8_t { RoundPreferFloor, RoundPreferCeil, Floor, Ceil };
enum class CoordinateMode : std::uint8_t { HalfPixel, HalfPixelSymmetric, PytorchHalfPixel, AlignCorners, Asymmetric, TfCropAndResize };
enum class AspectPolicy : std::uint8_t { Stretch, NotLarger, NotSmaller };

struct ResizeParams {
  ResizeMode mode = ResizeMode::Nearest;
  NearestMode nearest = NearestMode::RoundPreferFloor;
  CoordinateMode coordinates = CoordinateMode::HalfPixel;
  AspectPolicy policy = AspectPolicy::Stretch;
  bool antialias = false, exclude_outside = false;
  double cubic_a = -0.75;
  double extrapolation_value = 0;
  std::vector<int> axes;  ///< in the order of roi, scales and sizes; not negative, none twice

  static Result<ResizeParams> parse(const Attributes& attributes, int rank);
};

/// One axis, resized or not.
struct ResizeAxis {
  std::int64_t input = 1, output = 1;
  double scale = 1;
  double width = 1;                   ///< input * scale before rounding to whole elements
  double roi_start = 0, roi_end = 1;  ///< of tf_crop_and_resize, in units of the input

  /// floor(input * scale), in double from a float scale as frameworks do.
  static Result<ResizeAxis> from_scale(std::int64_t input, double scale);
  static Result<ResizeAxis> from_size(std::int64_t input, std::int64_t output);
};

/// One entry per axis of x. Missing tensors are undefined or have no elements; exactly one of scales and sizes is given.
Result<std::vector<ResizeAxis>> resolve_resize(const ResizeParams& params, const Shape& x, const Tensor& roi, const Tensor& scales,
                                               const Tensor& sizes);

/// How the output elements of one axis are made: output o sums weight[t] * x[index[t]] over first[o] <= t < first[o+1].
struct ResizeTaps {
  std::vector<std::int64_t> first;
  std::vector<std::int64_t> index;  ///< always inside the input
  std::vector<double> weight;       ///< empty for nearest: one tap per output, weight 1
  std::vector<char> outside;        ///< non-empty if any is set: the output takes extrapolation_value
  bool identity = false;            ///< output o is input o
};
/// `axis.output` elements, at least one, and `axis.input` at least one. At most 2^24 outputs.
Result<ResizeTaps> make_resize_taps(const ResizeParams& params, const ResizeAxis& axis);

}  // namespace fovea::ops
