// SPDX-License-Identifier: Apache-2.0
// What shape rules of If, Loop, Scan and SequenceMap share: facts about values on their way into a body and out.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "ops/known_values.h"

namespace fovea::ops {

using BodyValue = InferContext::BodyValue;

/// Declared inputs; the captured outer values follow.
inline int declared_inputs(const InferContext& context) {
  const std::int64_t captures = context.attributes().get_int("captures");
  return static_cast<int>(std::clamp<std::int64_t>(context.num_inputs() - captures, 0, context.num_inputs()));
}

/// All that is known of input i.
inline BodyValue known_of_input(const InferContext& context, int i) {
  BodyValue known;
  if (!context.has_input(i)) return known;
  known.type = context.input_type(i);
  if (const auto* shape = context.input_shape(i)) known.shape = *shape;
  if (const auto* value = context.input_value(i)) known.value = *value;
  if (const auto* constant = context.input_constant(i)) known.constant = *constant;
  return known;
}

/// Type and shape only: for values that differ from iteration to iteration.
inline BodyValue shape_of_input(const InferContext& context, int i) {
  BodyValue known = known_of_input(context, i);
  return {known.type, std::move(known.shape)};
}

inline void append_captures(const InferContext& context, std::vector<BodyValue>& values) {
  for (int i = declared_inputs(context); i < context.num_inputs(); ++i) values.push_back(known_of_input(context, i));
}

/// Symbols that mean something outside of the bodies: those of the node's inputs.
inline std::vector<std::string> outer_symbols(const InferContext& context) {
  std::vector<std::string> names;
  const auto collect = [&](const std::vector<Dim>* dims) {
    if (!dims) return;
    for (const Dim& dim : *dims) dim.collect_symbols(names);
  };
  for (int i = 0; i < context.num_inputs(); ++i) {
    collect(context.input_shape(i));
    collect(context.input_value(i));
  }
  return names;
}

/// An extent found inside a body as it is known outside: itself if it is written in outer symbols, else a new one.
inline Dim seen_from_outside(InferContext& context, const Dim& dim, const std::vector<std::string>& outer, std::string_view hint) {
  std::vector<std::string> used;
  dim.collect_symbols(used);
  const bool known = std::all_of(used.begin(), used.end(), [&](const auto& name) { return std::find(outer.begin(), outer.end(), name) != outer.end(); });
  return known ? dim : context.fresh_symbol(hint);
}

inline void set_type_if_known(InferContext& context, int i, const ValueType& type) {
  if (type.element != DataType::undefined) context.set_output_type(i, type);
}

}  // namespace fovea::ops
