// SPDX-License-Identifier: Apache-2.0
// Window arithmetic shared by convolutions and poolings: kernel, strides, dilations, pads, auto_pad and
// ceil_mode of a node, checked once here, and the output extents that follow, as numbers or expressions.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "base/attributes.h"
#include "base/check.h"
#include "base/dim.h"

namespace fovea::ops {

enum class AutoPad : std::uint8_t { NotSet, Valid, SameUpper, SameLower };

/// The window on one spatial axis with everything known.
struct WindowAxis {
  std::int64_t input = 1, kernel = 1, stride = 1, dilation = 1, pad_begin = 0, pad_end = 0, output = 1;
  /// Input elements from the first to the last tap.
  std::int64_t span() const { return (kernel - 1) * dilation + 1; }
};

/// A node's window attributes, one entry per spatial axis. After parse() every kernel extent, stride and
/// dilation lies in 1..2^31-1 and every pad in 0..2^31-1.
struct WindowParams {
  AutoPad auto_pad = AutoPad::NotSet;
  bool ceil_mode = false;
  std::vector<std::int64_t> kernel;                 ///< empty while only the weights' shape tells it
  std::vector<std::int64_t> strides, dilations;
  std::vector<std::int64_t> pads_begin, pads_end;   ///< all zero unless auto_pad is NotSet

  int spatial_rank() const { return static_cast<int>(strides.size()); }

  /// `rank` is that of the data tensor: batch, channels, spatial axes. At least 3.
  static Result<WindowParams> parse(const Attributes& attributes, int rank);
  /// Fills a missing kernel from the weights' spatial extents, or checks that both agree.
  Status set_kernel(std::span<const std::int64_t> extents);
};

/// Window on spatial axis `axis` over `input` elements. Fails when the output extent would not be positive.
Result<WindowAxis> resolve_axis(const WindowParams& window, int axis, std::int64_t input);
/// All axes of `spatial` (the extents after batch and channels).
Result<std::vector<WindowAxis>> resolve_axes(const WindowParams& window, std::span<const std::int64_t> spatial);
/// The output extent alone, for an extent that may be an expression. The kernel must be known.
Result<Dim> output_extent(const WindowParams& window, int axis, const Dim& input);

/// What only a transposed convolution has.
struct TransposedParams {
  std::vector<std::int64_t> output_padding;  ///< per spatial axis, 0 by default
  std::vector<std::int64_t> output_shape;    ///< per spatial axis, or empty
};
/// The same for a transposed convolution: input and output swap roles, pads crop the output.
Result<WindowAxis> resolve_transposed_axis(const WindowParams& window, const TransposedParams& transposed, int axis,
                                           std::int64_t input);
Result<Dim> transposed_output_extent(const WindowParams& window, const TransposedParams& transposed, int axis,
                                     const Dim& input);

/// `name` as `count` integers in low..2^31-1, each `fallback` when the attribute is absent.
Result<std::vector<std::int64_t>> parse_ints(const Attributes& attributes, std::string_view name, int count,
                                             std::int64_t low, std::int64_t fallback);

/// The outputs begin..end-1 whose tap number `tap` lies inside the input, at output * stride + offset.
struct TapRange {
  std::int64_t begin = 0, end = 0, offset = 0;
};
TapRange tap_range(const WindowAxis& axis, std::int64_t tap);

/// Right-aligned to three axes, the missing ones 1 wide, so that one loop nest serves 1-D, 2-D and 3-D windows.
std::vector<WindowAxis> as_three_axes(std::vector<WindowAxis> axes);

}  // namespace fovea::ops
