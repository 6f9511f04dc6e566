// SPDX-License-Identifier: Apache-2.0
// From pictures to a network's inputs, from its outputs to a Prediction.
#pragma once

#include <map>
#include <span>
#include <string>

#include "fovea/model.h"
#include "fovea/task.h"
#include "task/recipe.h"

namespace fovea::task {

using NamedTensors = std::map<std::string, Tensor>;

struct TaskInputs {
  NamedTensors tensors;
  image::ImageTransform transform;
};

/// Inputs for one picture. `network` are the engine's inputs: sizes and types that the recipe leaves open are taken
/// from them. InvalidModel when recipe and network do not fit, InvalidArgument when this picture and they do not.
Result<TaskInputs> make_inputs(const Recipe& recipe, const image::Picture& picture, std::span<const TensorInfo> network);

/// The answer for one picture (batch 1). InvalidModel as fit_outputs says it, where an output is missing or of another
/// shape than the recipe says.
Result<Prediction> decode(const Recipe& recipe, const NamedTensors& outputs, const image::ImageTransform& transform);

}  // namespace fovea::task
