// SPDX-License-Identifier: Apache-2.0
// What shape rules know of an input's elements: constants as integers, symbolic ones as expressions.
#pragma once

#include <optional>
#include <vector>

#include "ops/axis.h"
#include "ops/schema.h"

namespace fovea::ops {

/// All elements of input i when each is a known integer, else nothing.
inline std::optional<std::vector<std::int64_t>> known_ints(const InferContext& context, int i) {
  if (!context.has_input(i)) return std::nullopt;
  if (const Tensor* constant = context.input_constant(i)) {
    auto values = int_values(*constant, "constant");
    if (values.ok()) return *std::move(values);
  }
  const std::vector<Dim>* dims = context.input_value(i);
  if (!dims) return std::nullopt;
  std::vector<std::int64_t> values;
  for (const Dim& dim : *dims) {
    if (!dim.is_constant()) return std::nullopt;
    values.push_back(dim.constant());
  }
  return values;
}

/// All elements of input i as expressions, constants of any length included.
inline std::optional<std::vector<Dim>> known_dims(const InferContext& context, int i) {
  if (!context.has_input(i)) return std::nullopt;
  if (const std::vector<Dim>* dims = context.input_value(i)) return *dims;
  const auto values = known_ints(context, i);
  if (!values) return std::nullopt;
  return std::vector<Dim>(values->begin(), values->end());
}

/// Number of elements of a list (rank 1) input, when it is known though the elements may not be.
inline std::optional<std::int64_t> known_length(const InferContext& context, int i) {
  if (!context.has_input(i)) return std::nullopt;
  const SymbolicShape* shape = context.input_shape(i);
  if (!shape || shape->size() != 1 || !(*shape)[0].is_constant()) return std::nullopt;
  return (*shape)[0].constant();
}

/// `rank` extents of which nothing is known.
inline SymbolicShape unknown_shape(InferContext& context, std::int64_t rank, std::string_view hint) {
  SymbolicShape shape;
  for (std::int64_t i = 0; i < rank && i <= kMaxRank; ++i) shape.push_back(context.fresh_symbol(hint));
  return shape;
}

inline Dim product(std::span<const Dim> dims) {
  Dim total(1);
  for (const Dim& dim : dims) total = total * dim;
  return total;
}

}  // namespace fovea::ops
