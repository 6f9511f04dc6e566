// SPDX-License-Identifier: Apache-2.0
// A picture as the network's inputs: the recipe says how, the network fills in what the recipe leaves open.
#include "task/decode.h"
#include "task/recipe_fit.h"

namespace fovea::task {

namespace {

/// Where the picture decides the size, a network of fixed size may disagree.
Status check_size(const image::ImageTransform& made, const TensorInfo& input, image::Order order) {
  if (!input.rank_known) return {};
  const bool nchw = order == image::Order::Nchw;
  const int height = fixed_extent(input.shape[nchw ? 2 : 1]), width = fixed_extent(input.shape[nchw ? 3 : 2]);
  if ((height == 0 || height == made.input_height) && (width == 0 || width == made.input_width)) return {};
  return Status(ErrorCode::InvalidArgument, str_cat("this picture becomes ", made.input_width, "x", made.input_height, " pixels by the recipe, the network takes ",
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
  FOVEA_ASSIGN(const image::InputSpec spec, resolve_input(recipe, *input));
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
