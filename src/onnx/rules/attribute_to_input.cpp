// SPDX-License-Identifier: Apache-2.0
// Reshape, Slice, Split, TopK and Tile: attributes that became inputs.
#include "onnx/upgrade.h"

namespace fovea::onnx::rules {

Status reshape_shape(Upgrade& u) {
  const auto shape = u.take_ints("shape");
  if (!shape) return invalid_model("attribute 'shape' is missing");
  u.set_input(1, u.ints("shape", *shape));
  return {};
}

Status slice_bounds(Upgrade& u) {
  const auto starts = u.take_ints("starts"), ends = u.take_ints("ends"), axes = u.take_ints("axes");
  if (!starts || !ends) return invalid_model("attributes 'starts' and 'ends' are required");
  u.set_input(1, u.ints("starts", *starts));
  u.set_input(2, u.ints("ends", *ends));
  if (axes) u.set_input(3, u.ints("axes", *axes));
  return {};
}

Status split_sizes(Upgrade& u) {
  if (const auto sizes = u.take_ints("split"); sizes && !sizes->empty()) u.set_input(1, u.ints("split", *sizes));
  return {};
}

// Without sizes the number of outputs said into how many parts.
Status split_count(Upgrade& u) {
  if (!u.has(1)) u.node.attributes.set("num_outputs", static_cast<std::int64_t>(u.node.outputs.size()));
  return {};
}

Status top_k_count(Upgrade& u) {
  const auto k = u.take_int("k");
  if (!k) return invalid_model("attribute 'k' is missing");
  u.set_input(1, u.ints("k", {*k}));
  return {};
}

// Opset 1-5: one axis and how often to repeat along it, both as inputs.
Status tile_repeats(Upgrade& u) {
  const Tensor *tiles = u.constant(1), *axis = u.constant(2);
  const auto rank = u.rank(0);
  const auto scalar = [](const Tensor* t) -> std::optional<std::int64_t> {
    if (!t || t->elements() != 1) return std::nullopt;
    if (t->type() == DataType::i64) return t->data<std::int64_t>()[0];
    if (t->type() == DataType::i32) return t->data<std::int32_t>()[0];
    if (t->type() == DataType::f32 && t->data<float>()[0] >= 0 && t->data<float>()[0] < 1e9f) return static_cast<std::int64_t>(t->data<float>()[0]);
    return std::nullopt;
  };
  const auto count = scalar(tiles), at = scalar(axis);
  if (!rank || !count || !at || *at < 0 || *at >= *rank) return unsupported("tiles and axis must be constants, and the input's rank be known");
  std::vector<std::int64_t> repeats(static_cast<std::size_t>(*rank), 1);
  repeats[static_cast<std::size_t>(*at)] = *count;
  u.node.inputs.resize(1);
  u.set_input(1, u.ints("repeats", repeats));
  return {};
}

}  // namespace fovea::onnx::rules
