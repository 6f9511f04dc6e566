// SPDX-License-Identifier: Apache-2.0
// The scale is a fraction inner/side of whole numbers, so a source position is a whole number of (2 * inner)-ths of a pixel
// and a pixel's value a whole number of (2 * inner)^2-ths of a level. Nothing is rounded before the byte.
#include "image/subpixel.h"

#include <algorithm>

namespace fovea::image {

namespace {

/// Two neighbouring source pixels and the weight of the second, in `unit`-ths.
struct Tap {
  std::int64_t low = 0, share = 0;
};

/// For each of `to` target pixels; `from` is the picture's side. Centred, middle lies on middle; else corner on corner.
std::vector<Tap> make_taps(std::int64_t from, std::int64_t to, std::int64_t inner, std::int64_t side, bool centered) {
  const std::int64_t unit = 2 * inner;
  std::vector<Tap> taps;
  for (std::int64_t i = 0; i < to; ++i) {
    const std::int64_t at = centered ? (2 * i + 1 - to) * side + (from - 1) * inner : (2 * i + 1) * side - inner;
    const std::int64_t share = ((at % unit) + unit) % unit;
    taps.push_back({(at - share) / unit, share});
  }
  return taps;
}

}  // namespace

Picture letterbox_subpixel(const Picture& picture, const InputSpec& spec, ImageTransform& transform) {
  const std::int64_t limit_x = spec.inner_width > 0 ? spec.inner_width : spec.width, limit_y = spec.inner_height > 0 ? spec.inner_height : spec.height;
  // The smaller of limit_x / width and limit_y / height.
  const bool by_width = limit_x * picture.height <= limit_y * picture.width;
  const std::int64_t inner = by_width ? limit_x : limit_y, side = by_width ? picture.width : picture.height, unit = 2 * inner;
  const bool centered = spec.anchor == Anchor::Center;
  const std::vector<Tap> across = make_taps(picture.width, spec.width, inner, side, centered);
  const std::vector<Tap> down = make_taps(picture.height, spec.height, inner, side, centered);
  const double scale = static_cast<double>(inner) / static_cast<double>(side);
  transform = {scale, scale, centered ? (spec.width - scale * picture.width) / 2 : 0, centered ? (spec.height - scale * picture.height) / 2 : 0,
               picture.width, picture.height, spec.width, spec.height};
  const auto pixel = [&](std::int64_t x, std::int64_t y) -> const std::uint8_t* {
    const bool inside = x >= 0 && x < picture.width && y >= 0 && y < picture.height;
    return inside ? picture.row(static_cast<int>(y)) + 3 * x : spec.fill.data();
  };
  Picture target(spec.width, spec.height, spec.fill);
  for (int y = 0; y < spec.height; ++y) {
    const Tap& v = down[static_cast<std::size_t>(y)];
    if (v.low < -1 || v.low >= picture.height) continue;
    std::uint8_t* to = target.row(y);
    for (int x = 0; x < spec.width; ++x, to += 3) {
      const Tap& u = across[static_cast<std::size_t>(x)];
      if (u.low < -1 || u.low >= picture.width) continue;
      const std::uint8_t* corners[4] = {pixel(u.low, v.low), pixel(u.low + 1, v.low), pixel(u.low, v.low + 1), pixel(u.low + 1, v.low + 1)};
      for (int c = 0; c < 3; ++c) {
        const std::int64_t top = corners[0][c] * (unit - u.share) + corners[1][c] * u.share;
        const std::int64_t bottom = corners[2][c] * (unit - u.share) + corners[3][c] * u.share;
        // At most 255 * 2^15 * 2^15.
        to[c] = static_cast<std::uint8_t>((top * (unit - v.share) + bottom * v.share + unit * unit / 2) / (unit * unit));
      }
    }
  }
  return target;
}

}  // namespace fovea::image
