// SPDX-License-Identifier: Apache-2.0
// Error limits of single elements from the sizes of the terms behind them, for outputs whose range is too small a measure
// of their terms: sums that cancel, activations that flatten, normalisations of numbers far from zero.
#pragma once

#include <functional>
#include <optional>

#include "base/check.h"
#include "device/kernel.h"

namespace fovea::compiler {

/// Input `i` of a problem as a dense plain tensor.
using InputReader = std::function<Result<Tensor>(int i)>;

/// The elements in memory as a dense plain tensor.
Result<Tensor> plain_copy(const TensorDesc& desc, const void* address);

/// A limit in f64 for each element of output `o` (dense, plain). Linear operators are evaluated on absolute values by their
/// own reference; pointwise programs with their running error. Nothing where neither is known for the operator.
Result<std::optional<Tensor>> element_limits(const Problem& problem, const InputReader& input, int o, const Tensor& expected);

}  // namespace fovea::compiler
