// SPDX-License-Identifier: Apache-2.0
// From a picture to a network's input tensor, and from the network's pixels back to the picture's.
#pragma once

#include <array>

#include "base/check.h"
#include "fovea/tensor.h"
#include "fovea/task.h"
#include "image/resample.h"

namespace fovea::image {

/// Longest side of a network's input.
inline constexpr int kMaxSide = 16384;

enum class Fit {
  Stretch,      ///< to the input's size, the aspect may change
  Letterbox,    ///< the largest size that fits, the rest filled
  Crop,         ///< shorter side to `shorter_side` (or the input's), then the middle cut out
  ShorterSide,  ///< shorter side to `shorter_side`, or less where the longer one would pass `longer_side`; nothing filled
  Pad,          ///< not resized; filled at the right and bottom up to a multiple of `multiple_of`
};
enum class Anchor { Center, TopLeft };
enum class Channels { Rgb, Bgr, Gray };
enum class Order { Nchw, Nhwc };

/// Pixels are first resized as bytes, then each becomes (value * scale - mean[c]) / std[c], c in the order of `channels`.
struct InputSpec {
  int height = 0, width = 0;   ///< of the network's input; for ShorterSide and Pad found from the picture
  Fit fit = Fit::Letterbox;
  Anchor anchor = Anchor::Center;
  Filter filter = Filter::Bilinear;
  bool antialias = false;
  Color fill = {114, 114, 114};
  int inner_height = 0, inner_width = 0;  ///< Letterbox: what the picture must fit into, centred on the input; 0: the input
  bool subpixel = false;       ///< Letterbox: neither scale nor place rounded to whole pixels (bilinear only)
  int shorter_side = 0, longer_side = 0;  ///< longer_side 0: no limit
  int multiple_of = 1;
  Channels channels = Channels::Rgb;
  double scale = 1;
  std::array<double, 3> mean = {0, 0, 0}, std = {1, 1, 1};
  Order order = Order::Nchw;
  DataType type = DataType::f32;  ///< f32, f16 or u8 (u8 rounds and saturates)
};

/// network = picture * scale + shift, per axis, in continuous pixel coordinates.
struct ImageTransform {
  double scale_x = 1, scale_y = 1, shift_x = 0, shift_y = 0;
  int picture_width = 0, picture_height = 0;  ///< original size
  int input_width = 0, input_height = 0;

  double to_picture_x(double x) const { return (x - shift_x) / scale_x; }
  double to_picture_y(double y) const { return (y - shift_y) / scale_y; }
  /// x1 y1 x2 y2, beyond the picture where the network says so.
  std::array<double, 4> box_to_picture(const std::array<double, 4>& box) const;
  /// The part of a box of the picture that lies on the picture.
  std::array<double, 4> clip_to_picture(const std::array<double, 4>& box) const;
};

struct NetworkInput {
  Tensor tensor;  ///< 1 x C x H x W or 1 x H x W x C
  ImageTransform transform;
};

/// Bit-exact when repeated. InvalidArgument when the specification makes no sense for this picture.
Result<NetworkInput> make_network_input(const Picture& picture, const InputSpec& spec);

}  // namespace fovea::image
