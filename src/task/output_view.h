// SPDX-License-Identifier: Apache-2.0
// Network outputs as floats in the shape a decoder expects, with errors that name the output.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/check.h"
#include "fovea/tensor.h"
#include "task/output_shape.h"
#include "task/recipe.h"

namespace fovea::task {

using NamedTensors = std::map<std::string, Tensor>;

/// Output `name` converted to f32 (from f16, bf16, f64, integers or bool). NotFound lists what there is.
Result<Tensor> float_output(const NamedTensors& outputs, const std::string& name);

/// A matrix of rows x columns; element (r, c) may lie anywhere regular, so channel-first heads need no copy.
struct Matrix : MatrixShape {
  Tensor tensor;  ///< keeps the values alive
  const float* values = nullptr;
  float operator()(std::int64_t r, std::int64_t c) const { return values[r * row_stride + c * column_stride]; }
};

/// As matrix_shape reads it.
Result<Matrix> matrix_output(const NamedTensors& outputs, const std::string& name, std::optional<std::int64_t> rows = {}, bool transposed = false);

/// Applies in place to one row of scores.
void activate(Activation activation, std::span<double> scores);

}  // namespace fovea::task
