// SPDX-License-Identifier: Apache-2.0
#include "image/network_input.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/float_types.h"

namespace fovea::image {

namespace {

constexpr int kMaxSide = 16384;

/// The part of `picture` starting at (left, top); what lies outside it is `fill`.
Picture cut(const Picture& picture, int left, int top, int width, int height, Color fill) {
  Picture result(width, height, fill);
  const int x0 = std::max(0, left), x1 = std::min(picture.width, left + width);
  for (int y = std::max(0, top); y < std::min(picture.height, top + height); ++y) {
    if (x0 < x1) std::memcpy(result.row(y - top) + 3 * (x0 - left), picture.row(y) + 3 * x0, static_cast<std::size_t>(3 * (x1 - x0)));
  }
  return result;
}

int rounded(double value) { return std::max(1, static_cast<int>(std::nearbyint(value))); }

/// Picture in the network's size, still bytes.
Result<Picture> fit(const Picture& picture, const InputSpec& spec, ImageTransform& transform) {
  const double w = picture.width, h = picture.height;
  int width = spec.width, height = spec.height;
  int inner_width = width, inner_height = height, left = 0, top = 0;
  switch (spec.fit) {
    case Fit::Stretch: break;
    case Fit::Letterbox: {
      const double scale = std::min(width / w, height / h);
      inner_width = std::min(width, rounded(w * scale));
      inner_height = std::min(height, rounded(h * scale));
      if (spec.anchor == Anchor::Center) left = (width - inner_width) / 2, top = (height - inner_height) / 2;
      break;
    }
    case Fit::Crop: {
      const double shorter = spec.shorter_side > 0 ? spec.shorter_side : std::max(width, height);
      const double scale = shorter / std::min(w, h);
      if (w * scale > kMaxSide || h * scale > kMaxSide) return invalid_argument("picture of ", w, "x", h, " is too long and thin to be cropped");
      inner_width = rounded(w * scale);
      inner_height = rounded(h * scale);
      // Pillow's centre crop rounds half to even; negative when the crop is larger than the picture.
      left = -static_cast<int>(std::nearbyint((inner_width - width) / 2.0));
      top = -static_cast<int>(std::nearbyint((inner_height - height) / 2.0));
      break;
    }
    case Fit::Pad:
      inner_width = picture.width;
      inner_height = picture.height;
      width = (picture.width + spec.multiple_of - 1) / spec.multiple_of * spec.multiple_of;
      height = (picture.height + spec.multiple_of - 1) / spec.multiple_of * spec.multiple_of;
      break;
  }
  if (width <= 0 || height <= 0 || width > kMaxSide || height > kMaxSide) {
    return invalid_argument("network input of ", width, "x", height, " pixels; expected 1 to ", kMaxSide, " a side");
  }
  transform = {inner_width / w, inner_height / h, double(left), double(top), picture.width, picture.height, width, height};
  const Picture inner = resample(picture, inner_width, inner_height, spec.filter, spec.antialias);
  if (left == 0 && top == 0 && inner.width == width && inner.height == height) return inner;
  return cut(inner, -left, -top, width, height, spec.fill);
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

std::array<float, 4> ImageTransform::box_to_picture(const std::array<double, 4>& box) const {
  const auto clip = [](double value, int limit) { return static_cast<float>(std::clamp(value, 0.0, static_cast<double>(limit))); };
  return {clip(to_picture_x(box[0]), picture_width), clip(to_picture_y(box[1]), picture_height), clip(to_picture_x(box[2]), picture_width),
          clip(to_picture_y(box[3]), picture_height)};
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
