// SPDX-License-Identifier: Apache-2.0
// Network outputs as floats in the shape a decoder expects, with errors that name the output.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/check.h"
#include "fovea/tensor.h"
#include "task/recipe.h"

namespace fovea::task {

using NamedTensors = std::map<std::string, Tensor>;

/// Output `name` converted to f32 (from f16, bf16, f64, integers or bool). NotFound lists what there is.
Result<Tensor> float_output(const NamedTensors& outputs, const std::string& name);

/// A matrix of rows x columns; element (r, c) may lie anywhere regular, so channel-first heads need no copy.
struct Matrix {
  Tensor tensor;  ///< keeps the values alive
  const float* values = nullptr;
  std::int64_t rows = 0, columns = 0, row_stride = 0, column_stride = 1;
  float operator()(std::int64_t r, std::int64_t c) const { return values[r * row_stride + c * column_stride]; }
};

/// 1 x R x C, R x C, 1 x R (one column) or 1 x C x H x W (R = H*W); transposed: 1 x C x R.
Result<Matrix> matrix_output(const NamedTensors& outputs, const std::string& name, bool transposed = false);

/// Applies in place to one row of scores.
void activate(Activation activation, std::span<double> scores);

}  // namespace fovea::task
