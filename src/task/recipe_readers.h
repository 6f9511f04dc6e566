// SPDX-License-Identifier: Apache-2.0
// The parts parse_recipe is made of, and the spellings they share.
#pragma once

#include "task/json_fields.h"
#include "task/recipe.h"

namespace fovea::task {

constexpr double kHuge = 1e9;
constexpr std::initializer_list<std::pair<const char*, Activation>> kActivations = {
    {"none", Activation::None}, {"sigmoid", Activation::Sigmoid}, {"softmax", Activation::Softmax}};
constexpr std::initializer_list<std::pair<const char*, Coordinates>> kCoordinates = {{"pixels", Coordinates::Pixels},
                                                                                     {"pixel_centers", Coordinates::PixelCenters},
                                                                                     {"normalised", Coordinates::Normalised},
                                                                                     {"picture", Coordinates::Picture}};

/// Key `input`.
void read_input(JsonFields& f, Recipe& recipe);

// Keys of a task beside `task` and `labels`, one function a task.
void read_detection(JsonFields& f, TaskRecipe& task);
void read_classification(JsonFields& f, TaskRecipe& task);
void read_segmentation(JsonFields& f, TaskRecipe& task);
void read_depth(JsonFields& f, TaskRecipe& task);
void read_landmarks(JsonFields& f, TaskRecipe& task);

}  // namespace fovea::task
