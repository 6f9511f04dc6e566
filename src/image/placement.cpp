// SPDX-License-Identifier: Apache-2.0
#include "image/placement.h"

#include <algorithm>
#include <cmath>

namespace fovea::image {

namespace {

int rounded(double value) { return std::max(1, static_cast<int>(std::nearbyint(value))); }

/// factor * longer / shorter, cut to a whole number as torchvision does; at most one more than kMaxSide. All are sides of
/// pictures or networks, so the product fits.
int scaled_side(int factor, int longer, int shorter) {
  return static_cast<int>(std::min<std::int64_t>(std::int64_t{factor} * longer / shorter, kMaxSide + 1));
}

/// The picture's size once its shorter side is `side`.
void resize_shorter_side(int side, int picture_width, int picture_height, Placement& p) {
  const bool upright = picture_width < picture_height;
  p.inner_width = upright ? side : scaled_side(side, picture_width, picture_height);
  p.inner_height = upright ? scaled_side(side, picture_height, picture_width) : side;
}

/// Left edge of torchvision's centre crop: half to even where something is cut, down where something is missing.
int crop_offset(int inner, int size) {
  return inner >= size ? -static_cast<int>(std::nearbyint((inner - size) / 2.0)) : (size - inner) / 2;
}

/// DETR's rule. The longer side may end one above the limit.
int limited_shorter_side(const InputSpec& spec, int picture_width, int picture_height) {
  const double longer = std::max(picture_width, picture_height), shorter = std::min(picture_width, picture_height);
  if (spec.longer_side == 0 || longer / shorter * spec.shorter_side <= spec.longer_side) return spec.shorter_side;
  return rounded(spec.longer_side * shorter / longer);
}

int up_to_multiple(int value, int of) { return (value + of - 1) / of * of; }

}  // namespace

Result<Placement> place(int picture_width, int picture_height, const InputSpec& spec) {
  const double w = picture_width, h = picture_height;
  Placement p{spec.width, spec.height, spec.width, spec.height, 0, 0};
  switch (spec.fit) {
    case Fit::Stretch: break;
    case Fit::Letterbox: {
      const int limit_x = spec.inner_width > 0 ? spec.inner_width : spec.width, limit_y = spec.inner_height > 0 ? spec.inner_height : spec.height;
      if (limit_x > spec.width || limit_y > spec.height) {
        return invalid_argument("inner size of ", limit_x, "x", limit_y, " pixels on a network input of ", spec.width, "x", spec.height);
      }
      const double scale = std::min(limit_x / w, limit_y / h);
      p.inner_width = std::min(limit_x, rounded(w * scale));
      p.inner_height = std::min(limit_y, rounded(h * scale));
      if (spec.anchor == Anchor::Center) p.left = (p.width - p.inner_width) / 2, p.top = (p.height - p.inner_height) / 2;
      break;
    }
    case Fit::Crop:
      resize_shorter_side(spec.shorter_side > 0 ? spec.shorter_side : std::max(spec.width, spec.height), picture_width, picture_height, p);
      if (std::max(p.inner_width, p.inner_height) > kMaxSide) return invalid_argument("picture of ", w, "x", h, " is too long and thin to be cropped");
      p.left = crop_offset(p.inner_width, p.width);
      p.top = crop_offset(p.inner_height, p.height);
      break;
    case Fit::ShorterSide: {
      const int side = limited_shorter_side(spec, picture_width, picture_height);
      resize_shorter_side(side, picture_width, picture_height, p);
      p.width = p.inner_width;
      p.height = p.inner_height;
      break;
    }
    case Fit::Pad:
      p.inner_width = picture_width;
      p.inner_height = picture_height;
      p.width = up_to_multiple(picture_width, spec.multiple_of);
      p.height = up_to_multiple(picture_height, spec.multiple_of);
      break;
  }
  if (p.width <= 0 || p.height <= 0 || p.width > kMaxSide || p.height > kMaxSide) {
    return invalid_argument("network input of ", p.width, "x", p.height, " pixels; expected 1 to ", kMaxSide, " a side");
  }
  return p;
}

}  // namespace fovea::image
