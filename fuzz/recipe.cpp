// SPDX-License-Identifier: Apache-2.0
// Recipes, and preparing a picture by those that are valid.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "task/decode.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  auto recipe = fovea::task::parse_recipe({reinterpret_cast<const char*>(data), size});
  if (!recipe.ok() || recipe->spec.height > 512 || recipe->spec.width > 512 || recipe->spec.shorter_side > 512) return 0;
  const fovea::TensorInfo network[] = {{"images", fovea::DataType::f32, {"1", "3", "H", "W"}, true}};
  static_cast<void>(fovea::task::make_inputs(*recipe, fovea::image::Picture(40, 30), network).ok());
  return 0;
}
