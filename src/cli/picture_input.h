// SPDX-License-Identifier: Apache-2.0
// Pictures as inputs of `run`, `bench` and `compare`.
#pragma once

#include <string>

#include "fovea/engine.h"

namespace fovea::cli {

/// .jpg .jpeg .png .bmp .ppm
bool is_picture_file(const std::string& file);

/// The picture as input `name`: prepared as the engine's recipe says, or, without one, stretched to the input's size
/// and scaled to 0..1. Extents the network leaves open come from `shape` (empty: the picture's own size).
Result<Tensor> load_picture_input(const Engine& engine, const std::string& name, const std::string& file, const Shape& shape);

}  // namespace fovea::cli
