// SPDX-License-Identifier: Apache-2.0
#include "task/recipe_readers.h"

namespace fovea::task {

namespace {

using image::Fit;
using image::kMaxSide;

/// [height, width]
void read_size(JsonFields& f, const char* key, int& height, int& width) {
  std::array<int, 2> size = {0, 0};
  f.read(key, size, 1, kMaxSide);
  height = size[0];
  width = size[1];
}

/// One grey level or a colour.
void read_fill(JsonFields& f, image::InputSpec& spec) {
  if (const auto* fill = f.raw("fill"); fill && fill->is_array()) {
    std::array<int, 3> color{};
    f.read("fill", color, 0, 255);
    for (std::size_t c = 0; c < 3; ++c) spec.fill[c] = static_cast<std::uint8_t>(color[c]);
  } else if (fill) {
    int level = 0;
    f.read("fill", level, 0, 255);
    spec.fill.fill(static_cast<std::uint8_t>(level));
  }
}

/// Keys that mean something for some ways to resize only.
void check_fit(JsonFields& f, const image::InputSpec& spec) {
  const auto only = [&](const char* key, bool allowed, const char* expected) {
    if (f.has(key) && !allowed) f.fail(key, expected);
  };
  const bool letterbox = spec.fit == Fit::Letterbox;
  only("size", spec.fit != Fit::Pad, "no size when resize is \"pad\"");
  only("size", spec.fit != Fit::ShorterSide, "no size when resize is \"shorter_side\"");
  only("inner_size", letterbox, "no inner_size unless resize is \"letterbox\"");
  only("anchor", letterbox, "no anchor unless resize is \"letterbox\"");
  only("multiple_of", spec.fit == Fit::Pad, "no multiple_of unless resize is \"pad\"");
  only("shorter_side", spec.fit == Fit::Crop || spec.fit == Fit::ShorterSide, "no shorter_side unless resize is \"crop\" or \"shorter_side\"");
  only("longer_side", spec.fit == Fit::ShorterSide, "no longer_side unless resize is \"shorter_side\"");
  only("longer_side", spec.longer_side >= spec.shorter_side, "a number not below shorter_side");
  only("inner_size", spec.height == 0 || (spec.inner_height <= spec.height && spec.inner_width <= spec.width), "a size that fits into size");
  const bool plain = letterbox && spec.filter == image::Filter::Bilinear && !spec.antialias;
  only("subpixel", !spec.subpixel || plain, "false unless resize is \"letterbox\" and filter \"bilinear\" without antialias");
}

}  // namespace

void read_input(JsonFields& f, Recipe& recipe) {
  image::InputSpec& spec = recipe.spec;
  spec.type = DataType::undefined;
  f.read("name", recipe.input);
  read_size(f, "size", spec.height, spec.width);
  f.read("resize", spec.fit,
         {{"letterbox", Fit::Letterbox}, {"stretch", Fit::Stretch}, {"crop", Fit::Crop}, {"shorter_side", Fit::ShorterSide}, {"pad", Fit::Pad}});
  f.read("anchor", spec.anchor, {{"center", image::Anchor::Center}, {"top_left", image::Anchor::TopLeft}});
  f.read("filter", spec.filter,
         {{"bilinear", image::Filter::Bilinear}, {"bicubic", image::Filter::Bicubic}, {"nearest", image::Filter::Nearest}, {"area", image::Filter::Area}});
  f.read("antialias", spec.antialias);
  read_size(f, "inner_size", spec.inner_height, spec.inner_width);
  f.read("subpixel", spec.subpixel);
  f.read("shorter_side", spec.shorter_side, 1, kMaxSide, spec.fit == Fit::ShorterSide);
  f.read("longer_side", spec.longer_side, 1, kMaxSide);
  f.read("multiple_of", spec.multiple_of, 1, 4096);
  f.read("color", spec.channels, {{"rgb", image::Channels::Rgb}, {"bgr", image::Channels::Bgr}, {"gray", image::Channels::Gray}});
  f.read("layout", spec.order, {{"nchw", image::Order::Nchw}, {"nhwc", image::Order::Nhwc}});
  f.read("scale", spec.scale, 1e-9, kHuge);
  f.read("mean", spec.mean, -kHuge, kHuge);
  f.read("std", spec.std, 1e-9, kHuge);
  read_fill(f, spec);
  recipe.fill_given = f.has("fill");
  check_fit(f, spec);
}

}  // namespace fovea::task
