// SPDX-License-Identifier: Apache-2.0
// Colours of classes by the name of the data set that made them common.
#pragma once

#include <array>
#include <optional>
#include <string_view>
#include <vector>

#include "fovea/task.h"

namespace fovea::image {

inline constexpr std::array kPaletteNames = {"distinct", "cityscapes", "pascal_voc"};

/// "distinct" is empty (draw.h picks colours), "cityscapes" has the 19 training classes, "pascal_voc" 256 entries.
/// Nothing for another name.
std::optional<std::vector<Color>> named_palette(std::string_view name);

/// 256 entries.
const std::vector<Color>& color_map(ColorMap map);

}  // namespace fovea::image
