// SPDX-License-Identifier: Apache-2.0
// A picture as the network's inputs: the recipe says how, the network fills in what the recipe leaves open.
#include <charconv>

#include "task/decode.h"

namespace fovea::task {

namespace {

/// The number an extent is written as, or 0 for an expression.
int fixed_extent(const std::string& text) {
  int value = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  return code == std::errc() && end == text.data() + text.size() && value > 0 ? value : 0;
}

Result<const TensorInfo*> find_picture_input(const Recipe& recipe, std::span<const TensorInfo> network) {
  const TensorInfo* found = nullptr;
  std::string names;
  int candidates = 0;
  for (const TensorInfo& info : network) {
    names += (names.empty() ? "'" : ", '") + info.name + "'";
    if (recipe.input.empty() ? !recipe.size_inputs.contains(info.name) : info.name == recipe.input) found = &info, ++candidates;
  }
  if (candidates == 1) return found;
  if (!recipe.input.empty()) return not_found("recipe: the network has no input '", recipe.input, "'; there are: ", names);
  return Status(ErrorCode::InvalidArgument, "recipe: which of the inputs takes the picture? there are: " + names, "set input.name");
}

/// Fills in what the recipe leaves open.
Result<image::InputSpec> resolve(const Recipe& recipe, const TensorInfo& input) {
  image::InputSpec spec = recipe.spec;
  if (spec.type == DataType::undefined) spec.type = input.type;
  if (!input.rank_known) return spec;
  if (input.shape.size() != 4) return invalid_argument("recipe: input '", input.name, "' has ", input.shape.size(), " dimensions, a picture needs 4");
  const bool nchw = spec.order == image::Order::Nchw;
  const int height = fixed_extent(input.shape[nchw ? 2 : 1]), width = fixed_extent(input.shape[nchw ? 3 : 2]);
  const int channels = fixed_extent(input.shape[nchw ? 1 : 3]), wanted = spec.channels == image::Channels::Gray ? 1 : 3;
  if (channels != 0 && channels != wanted) {
    return Status(ErrorCode::InvalidArgument, str_cat("recipe: input '", input.name, "' takes ", channels, " channels, the recipe gives ", wanted),
                  "check input.layout and input.color");
  }
  if (spec.fit == image::Fit::Pad || spec.fit == image::Fit::ShorterSide) return spec;
  const auto settle = [&](int& mine, int its, const char* what) -> Status {
    if (mine == 0) mine = its;
    if (mine == 0) return Status(ErrorCode::InvalidArgument, str_cat("recipe: the network takes any ", what), "set input.size to [height, width]");
    if (its == 0 || mine == its) return {};
    return invalid_argument("recipe: input.size says ", what, " ", mine, ", the network takes ", its);
  };
  FOVEA_RETURN_IF_ERROR(settle(spec.height, height, "height"));
  FOVEA_RETURN_IF_ERROR(settle(spec.width, width, "width"));
  return spec;
}

/// Where the picture decides the size, a network of fixed size may disagree.
Status check_size(const image::ImageTransform& made, const TensorInfo& input, image::Order order) {
  if (!input.rank_known) return {};
  const bool nchw = order == image::Order::Nchw;
  const int height = fixed_extent(input.shape[nchw ? 2 : 1]), width = fixed_extent(input.shape[nchw ? 3 : 2]);
  if ((height == 0 || height == made.input_height) && (width == 0 || width == made.input_width)) return {};
  return Status(ErrorCode::InvalidArgument, str_cat("recipe: this picture becomes ", made.input_width, "x", made.input_height, " pixels, the network takes ",
                                                    input.shape[nchw ? 3 : 2], "x", input.shape[nchw ? 2 : 1]),
                "build with open sizes, or set input.resize to \"letterbox\" or \"stretch\"");
}

Result<Tensor> size_tensor(const TensorInfo& info, int width, int height) {
  const Shape shape = info.shape.size() == 1 ? Shape{2} : Shape{1, 2};
  FOVEA_ASSIGN(Tensor tensor, Tensor::allocate(info.type, shape));
  for (int i = 0; i < 2; ++i) {
    const int value = i == 0 ? width : height;
    switch (info.type) {
      case DataType::i64: tensor.data<std::int64_t>()[i] = value; break;
      case DataType::i32: tensor.data<std::int32_t>()[i] = value; break;
      case DataType::f32: tensor.data<float>()[i] = static_cast<float>(value); break;
      default: return unsupported("recipe: size input '", info.name, "' of type ", name(info.type));
    }
  }
  return tensor;
}

}  // namespace

Result<TaskInputs> make_inputs(const Recipe& recipe, const image::Picture& picture, std::span<const TensorInfo> network) {
  FOVEA_ASSIGN(const TensorInfo* input, find_picture_input(recipe, network));
  FOVEA_ASSIGN(const image::InputSpec spec, resolve(recipe, *input));
  FOVEA_ASSIGN(image::NetworkInput made, image::make_network_input(picture, spec));
  FOVEA_RETURN_IF_ERROR(check_size(made.transform, *input, spec.order));
  TaskInputs inputs;
  inputs.transform = made.transform;
  inputs.tensors[input->name] = std::move(made.tensor);
  for (const TensorInfo& info : network) {
    if (info.name == input->name) continue;
    const auto it = recipe.size_inputs.find(info.name);
    if (it == recipe.size_inputs.end()) {
      return Status(ErrorCode::InvalidArgument, "recipe: nothing is said about the network's input '" + info.name + "'",
                    "size_inputs may give it the picture's or the input's size");
    }
    const bool own = it->second == "picture_size";
    const image::ImageTransform& t = inputs.transform;
    FOVEA_ASSIGN(inputs.tensors[info.name], size_tensor(info, own ? t.picture_width : t.input_width, own ? t.picture_height : t.input_height));
  }
  return inputs;
}

}  // namespace fovea::task
