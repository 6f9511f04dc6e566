// SPDX-License-Identifier: Apache-2.0
#include "cli/picture_input.h"

#include <algorithm>
#include <cctype>
#include <filesystem>

#include "base/check.h"
#include "image/picture_file.h"
#include "task/decode.h"

namespace fovea::cli {

bool is_picture_file(const std::string& file) {
  std::string extension = std::filesystem::path(file).extension().string();
  std::transform(extension.begin(), extension.end(), extension.begin(), [](unsigned char c) { return std::tolower(c); });
  return extension == ".jpg" || extension == ".jpeg" || extension == ".png" || extension == ".bmp" || extension == ".ppm";
}

Result<Tensor> load_picture_input(const Engine& engine, const std::string& name, const std::string& file, const Shape& shape) {
  FOVEA_ASSIGN(const image::Picture picture, image::read_picture(file));
  std::vector<TensorInfo> network;
  for (TensorInfo& info : engine.inputs()) {
    if (info.name == name) network.push_back(std::move(info));
  }
  if (network.empty()) return invalid_argument("no input named '", name, "'");
  TensorInfo& input = network[0];
  for (std::size_t axis = 0; axis < input.shape.size() && static_cast<int>(axis) < shape.rank(); ++axis) {
    input.shape[axis] = std::to_string(shape[static_cast<int>(axis)]);
  }
  task::Recipe recipe;
  recipe.spec.fit = image::Fit::Stretch;
  recipe.spec.scale = 1.0 / 255;
  recipe.spec.type = DataType::undefined;
  const bool last = input.shape.size() == 4 && input.shape[3] == "3" && input.shape[1] != "3";
  if (last) recipe.spec.order = image::Order::Nhwc;
  if (!engine.recipe().empty()) {
    FOVEA_ASSIGN(recipe, task::parse_recipe(engine.recipe()));
  } else if (input.shape.size() == 4) {
    const auto open = [](const std::string& extent) { return extent.find_first_not_of("0123456789") != std::string::npos; };
    if (open(input.shape[last ? 1 : 2])) recipe.spec.height = picture.height;
    if (open(input.shape[last ? 2 : 3])) recipe.spec.width = picture.width;
    if (input.shape[last ? 3 : 1] == "1") recipe.spec.channels = image::Channels::Gray;
  }
  recipe.input = name;
  auto inputs = task::make_inputs(recipe, picture, network);
  if (!inputs.ok()) return std::move(inputs).status().with_context(file);
  return inputs->tensors.at(name);
}

}  // namespace fovea::cli
