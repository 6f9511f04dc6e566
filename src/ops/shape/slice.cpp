// SPDX-License-Identifier: Apache-2.0
// Slice: schema and shape rule. Lengths of symbolic axes are exact expressions for every step but mixed forms
// such as x[-3:5], whose length gets a symbol of its own.
#include <algorithm>
#include <limits>

#include "ops/known_values.h"
#include "ops/shape/slice_range.h"

namespace fovea::ops {

namespace {

// One end of a slice relative to an extent D: `offset`, or D + `offset`.
struct Bound {
  bool from_end = false;
  Dim offset;
};

constexpr std::int64_t kFar = std::numeric_limits<std::int32_t>::max();  // exporters write this or INT64_MAX for "to the end"

Bound bound_of(const Dim& value, const Dim& extent) {
  if (value == extent) return {true, Dim(0)};
  if (!value.is_constant()) {
    // D - 3 written out: the same as -3.
    const Dim difference = value - extent;
    if (difference.is_constant() && difference.constant() <= 0) return {true, difference};
    return {false, value};
  }
  if (value.constant() >= kFar) return {true, Dim(0)};
  return {value.constant() < 0, value};
}

Dim not_negative(const Dim& dim, const Dim& extent) {
  // Extents of inputs are at least 1, so D and D - 1 need no guard.
  if (dim.is_constant()) return Dim(std::max<std::int64_t>(dim.constant(), 0));
  return dim == extent || dim == extent - Dim(1) ? dim : max(dim, Dim(0));
}

// Length of x[start:end] (step 1) of an extent that is not a constant; nothing when there is no short expression.
std::optional<Dim> forward_length(const Bound& start, const Bound& end, const Dim& extent) {
  if (!start.from_end && end.from_end) return not_negative(extent + end.offset - start.offset, extent);
  if (!start.from_end && !end.from_end) {
    const Dim stop = min(end.offset, extent);
    if (start.offset == Dim(0)) return stop;
    return not_negative(stop - start.offset, extent);
  }
  if (start.from_end && end.from_end) {
    const Dim length = end.offset - start.offset;
    if (!length.is_constant() || length.constant() <= 0) return length.is_constant() ? std::optional(Dim(0)) : std::nullopt;
    return min(length, not_negative(extent + end.offset, extent));
  }
  return std::nullopt;
}

std::optional<Dim> slice_length(const Dim& start, const Dim& end, std::int64_t step, const Dim& extent) {
  if (extent.is_constant() && start.is_constant() && end.is_constant()) {
    return Dim(slice_range(start.constant(), end.constant(), step, extent.constant()).length);
  }
  const Bound from = bound_of(start, extent), to = bound_of(end, extent);
  if (step > 0) {
    const auto length = forward_length(from, to, extent);
    return length ? std::optional(ceil_div(*length, Dim(step))) : std::nullopt;
  }
  // Backwards over the whole axis: from the last element (-1 or beyond the end) past the first.
  const bool from_last = from.from_end && (from.offset == Dim(0) || from.offset == Dim(-1));
  const bool past_first = end.is_constant() && end.constant() <= -kFar;
  if (from_last && past_first && step != std::numeric_limits<std::int64_t>::min()) return ceil_div(extent, Dim(-step));
  return std::nullopt;
}

Status infer_slice(InferContext& context) {
  context.set_output_type(0, context.input_type(0));
  const SymbolicShape* input = context.input_shape(0);
  if (!input) return {};
  const int rank = static_cast<int>(input->size());
  const auto starts = known_dims(context, 1), ends = known_dims(context, 2);
  const auto given_axes = known_ints(context, 3), given_steps = known_ints(context, 4);
  const auto count = starts ? std::optional(static_cast<std::int64_t>(starts->size())) : known_length(context, 1);

  std::vector<std::int64_t> listed;
  if (context.has_input(3)) {
    if (!given_axes) {
      context.set_output_shape(0, unknown_shape(context, rank, "slice"));
      return {};
    }
    listed = *given_axes;
  } else {
    if (!count) {
      context.set_output_shape(0, unknown_shape(context, rank, "slice"));
      return {};
    }
    for (std::int64_t i = 0; i < *count && i <= rank; ++i) listed.push_back(i);
  }
  FOVEA_ASSIGN(const auto axes, normalize_axes(listed, rank));
  const std::size_t number = axes.size();
  if ((starts && starts->size() != number) || (ends && ends->size() != number) || (given_steps && given_steps->size() != number)) {
    return invalid_argument("starts, ends, axes and steps must have the same length (axes has ", number, ")");
  }
  const bool steps_known = given_steps || !context.has_input(4);
  SymbolicShape output = *input;
  for (std::size_t i = 0; i < number; ++i) {
    Dim& extent = output[static_cast<std::size_t>(axes[i])];
    const std::int64_t step = given_steps ? (*given_steps)[i] : 1;
    if (step == 0) return invalid_argument("step of axis ", axes[i], " is 0");
    std::optional<Dim> length;
    if (starts && ends && steps_known) length = slice_length((*starts)[i], (*ends)[i], step, extent);
    extent = length ? *length : context.fresh_symbol("slice");
  }
  const auto* value = context.input_value(0);
  if (value && rank == 1 && starts && ends && steps_known && number == 1 && (*starts)[0].is_constant() && (*ends)[0].is_constant()) {
    const auto length = static_cast<std::int64_t>(value->size());
    const SliceRange range = slice_range((*starts)[0].constant(), (*ends)[0].constant(), given_steps ? (*given_steps)[0] : 1, length);
    std::vector<Dim> picked;
    for (std::int64_t i = 0; i < range.length; ++i) picked.push_back((*value)[static_cast<std::size_t>(range.start + i * range.step)]);
    context.set_output_value(0, std::move(picked));
  } else if (value && number == 0) {
    context.set_output_value(0, *value);
  }
  context.set_output_shape(0, std::move(output));
  return {};
}

}  // namespace

OperatorSchema slice_schema() {
  return {.name = "Slice", .min_inputs = 3, .max_inputs = 5, .infer = infer_slice, .summary = "x[start:end:step] along the given axes"};
}

}  // namespace fovea::ops
