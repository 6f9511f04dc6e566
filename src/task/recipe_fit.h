// SPDX-License-Identifier: Apache-2.0
// Whether a recipe and a network go together: said while building where the engine's shapes tell, else for the tensors of the
// first run. What passes here, decoders read without another look.
#pragma once

#include <span>

#include "fovea/engine.h"
#include "task/output_shape.h"
#include "task/recipe.h"

namespace fovea::task {

/// Of the network's input in pixels; 0 where the picture decides.
struct InputSize {
  int height = 0, width = 0;
};

// Each gives InvalidModel with the recipe's key, what was expected and what was found, e.g.
// "recipe: decode.boxes: expected 1 x N x 4, found output 'scores' of 1x3549x3".

Status fit_inputs(const Recipe& recipe, std::span<const TensorInfo> network);
Status fit_outputs(const Recipe& recipe, const OutputShapes& outputs, InputSize input);
/// Both, with the recipe's size put into extents that the engine leaves open, and against the engine's range of sizes.
Status fit_engine(const Recipe& recipe, const Engine& engine);

/// Outputs as the engine gives them for the recipe's size.
OutputShapes output_shapes(const Recipe& recipe, const Engine& engine);
/// How many classes a task tells apart; 0 where that is unknown or makes no sense.
std::int64_t classes_of(const TaskRecipe& task, const OutputShapes& outputs);

/// The number an extent is written as, or 0 for an expression.
int fixed_extent(const std::string& extent);
/// The input that takes the picture.
Result<const TensorInfo*> find_picture_input(const Recipe& recipe, std::span<const TensorInfo> network);
/// How the picture becomes it: the recipe's words, completed by the network's.
Result<image::InputSpec> resolve_input(const Recipe& recipe, const TensorInfo& input);

}  // namespace fovea::task
