// SPDX-License-Identifier: Apache-2.0
#include "image/network_input.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/float_types.h"
#include "image/placement.h"
#include "image/subpixel.h"

namespace fovea::image {

namespace {

/// The part of `picture` starting at (left, top); what lies outside it is `fill`.
Picture cut(const Picture& picture, int left, int top, int width, int height, Color fill) {
  Picture result(width, height, fill);
  const int x0 = std::max(0, left), x1 = std::min(picture.width, left + width);
  for (int y = std::max(0, top); y < std::min(picture.height, top + height); ++y) {
    if (x0 < x1) std::memcpy(result.row(y - top) + 3 * (x0 - left), picture.row(y) + 3 * x0, static_cast<std::size_t>(3 * (x1 - x0)));
  }
  return result;
}

/// Picture in the network's size, still bytes.
Result<Picture> fit(const Picture& picture, const InputSpec& spec, ImageTransform& transform) {
  FOVEA_ASSIGN(const Placement p, place(picture.width, picture.height, spec));
  if (spec.fit == Fit::Letterbox && spec.subpixel) return letterbox_subpixel(picture, spec, transform);
  transform = {double(p.inner_width) / picture.width, double(p.inner_height) / picture.height, double(p.left), double(p.top),
               picture.width, picture.height, p.width, p.height};
  const Picture inner = resample(picture, p.inner_width, p.inner_height, spec.filter, spec.antialias);
  if (p.left == 0 && p.top == 0 && inner.width == p.width && inner.height == p.height) return inner;
  return cut(inner, -p.left, -p.top, p.width, p.height, spec.fill);
}

/// value of each of the 256 byte values after normalisation, per channel.
template <class T>
std::array<std::array<T, 256>, 3> value_table(const InputSpec& spec) {
  std::array<std::array<T, 256>, 3> table;
  for (std::size_t c = 0; c < 3; ++c) {
    for (std::size_t i = 0; i < 256; ++i) {
      const double value = (static_cast<double>(i) * spec.scale - spec.mean[c]) / spec.std[c];
      if constexpr (std::is_same_v<T, std::uint8_t>) {
        table[c][i] = static_cast<std::uint8_t>(std::clamp(std::nearbyint(value), 0.0, 255.0));
      } else {
        table[c][i] = T(static_cast<float>(value));
      }
    }
  }
  return table;
}

template <class T>
void fill_tensor(const Picture& picture, const InputSpec& spec, Tensor& tensor) {
  const auto table = value_table<T>(spec);
  const std::size_t pixels = picture.pixels.size() / 3, channels = spec.channels == Channels::Gray ? 1 : 3;
  T* out = tensor.data<T>();
  for (std::size_t c = 0; c < channels; ++c) {
    const std::size_t source = spec.channels == Channels::Bgr ? 2 - c : c;
    for (std::size_t i = 0; i < pixels; ++i) {
      const std::uint8_t* rgb = picture.pixels.data() + 3 * i;
      // Rec. 601 luma, rounded.
      const unsigned value = spec.channels == Channels::Gray ? (299u * rgb[0] + 587u * rgb[1] + 114u * rgb[2] + 500) / 1000 : rgb[source];
      out[spec.order == Order::Nchw ? c * pixels + i : i * channels + c] = table[c][value];
    }
  }
}

}  // namespace

std::array<double, 4> ImageTransform::box_to_picture(const std::array<double, 4>& box) const {
  return {to_picture_x(box[0]), to_picture_y(box[1]), to_picture_x(box[2]), to_picture_y(box[3])};
}

std::array<double, 4> ImageTransform::clip_to_picture(const std::array<double, 4>& box) const {
  const auto clip = [](double value, int limit) { return std::clamp(value, 0.0, static_cast<double>(limit)); };
  return {clip(box[0], picture_width), clip(box[1], picture_height), clip(box[2], picture_width), clip(box[3], picture_height)};
}

Result<NetworkInput> make_network_input(const Picture& picture, const InputSpec& spec) {
  if (picture.width <= 0 || picture.height <= 0) return invalid_argument("empty picture");
  NetworkInput input;
  FOVEA_ASSIGN(const Picture fitted, fit(picture, spec, input.transform));
  const std::int64_t channels = spec.channels == Channels::Gray ? 1 : 3;
  const Shape shape = spec.order == Order::Nchw ? Shape{1, channels, fitted.height, fitted.width} : Shape{1, fitted.height, fitted.width, channels};
  FOVEA_ASSIGN(input.tensor, Tensor::allocate(spec.type, shape));
  switch (spec.type) {
    case DataType::f32: fill_tensor<float>(fitted, spec, input.tensor); break;
    case DataType::f16: fill_tensor<Half>(fitted, spec, input.tensor); break;
    case DataType::bf16: fill_tensor<BFloat16>(fitted, spec, input.tensor); break;
    case DataType::u8: fill_tensor<std::uint8_t>(fitted, spec, input.tensor); break;
    default: return unsupported("a picture cannot become an input of type ", name(spec.type));
  }
  return input;
}

}  // namespace fovea::image
