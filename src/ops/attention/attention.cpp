// SPDX-License-Identifier: Apache-2.0
// Schemas of Attention, RotaryEmbedding and TensorScatter.
#include "ops/axis.h"
#include "ops/schema.h"

namespace fovea::ops {

namespace {

bool is_constant_other_than(const Dim& dim, std::int64_t value) { return dim.is_constant() && dim.constant() != value; }

/// Q [b, qh, s, d] or [b, s, qh*d]; K and V likewise with their own heads; Y like Q with V's width.
Status infer_attention(InferContext& context) {
  const DataType types[] = {context.input_element(0), context.input_element(1), context.input_element(2), context.input_element(0)};
  for (int i = 0; i < context.num_outputs(); ++i) {
    if (types[i] != DataType::undefined) context.set_output_element(i, types[i]);
  }
  const SymbolicShape *q = context.input_shape(0), *k = context.input_shape(1), *v = context.input_shape(2);
  if (!q || !k || !v) return {};
  if ((q->size() != 3 && q->size() != 4) || k->size() != q->size() || v->size() != q->size()) {
    return invalid_model("Attention: Q, K and V must all have rank 3 or all rank 4, found ", q->size(), ", ", k->size(), " and ", v->size());
  }
  Dim q_heads, kv_heads, rows, keys, width, value_width;
  const Dim& batch = (*q)[0];
  if (q->size() == 4) {
    q_heads = (*q)[1], rows = (*q)[2], width = (*q)[3];
    kv_heads = (*k)[1], keys = (*k)[2], value_width = (*v)[3];
    context.set_output_shape(0, {batch, q_heads, rows, value_width});
  } else {
    const std::int64_t qh = context.attributes().get_int("q_num_heads"), kh = context.attributes().get_int("kv_num_heads");
    if (qh <= 0 || kh <= 0) return invalid_model("Attention: inputs of rank 3 need positive q_num_heads and kv_num_heads, found ", qh, " and ", kh);
    q_heads = qh, kv_heads = kh, rows = (*q)[1], keys = (*k)[1];
    width = floor_div((*q)[2], q_heads), value_width = floor_div((*v)[2], kv_heads);
    context.set_output_shape(0, {batch, rows, q_heads * value_width});
  }
  if (context.has_input(4)) {
    const SymbolicShape* past = context.input_shape(4);
    if (!past) return {};
    if (past->size() != 4) return invalid_model("Attention: past_key must have rank 4, found ", past->size());
    keys = keys + (*past)[2];
  }
  if (context.num_outputs() > 1) context.set_output_shape(1, {batch, kv_heads, keys, width});
  if (context.num_outputs() > 2) context.set_output_shape(2, {batch, kv_heads, keys, value_width});
  if (context.num_outputs() > 3) context.set_output_shape(3, {batch, q_heads, rows, keys});
  return {};
}

Status infer_rotary(InferContext& context) {
  if (context.input_element(0) != DataType::undefined) context.set_output_element(0, context.input_element(0));
  const SymbolicShape* shape = context.input_shape(0);
  if (!shape) return {};
  if (shape->size() != 3 && shape->size() != 4) return invalid_model("RotaryEmbedding: the input must have rank 3 or 4, found ", shape->size());
  context.set_output_shape(0, *shape);
  return {};
}

Status infer_tensor_scatter(InferContext& context) {
  if (context.input_element(0) != DataType::undefined) context.set_output_element(0, context.input_element(0));
  const SymbolicShape *past = context.input_shape(0), *update = context.input_shape(1);
  if (!past) return {};
  FOVEA_ASSIGN(const int axis, normalize_axis(context.attributes().get_int("axis", -2), static_cast<int>(past->size())));
  if (axis == 0) return invalid_model("TensorScatter: the axis must not be the batch axis 0");
  if (update && update->size() != past->size()) {
    return invalid_model("TensorScatter: cache and update must have one rank, found ", past->size(), " and ", update->size());
  }
  for (std::size_t i = 0; update && i < past->size(); ++i) {
    const Dim& extent = (*past)[i];
    if (static_cast<int>(i) != axis && extent.is_constant() && is_constant_other_than((*update)[i], extent.constant())) {
      return invalid_model("TensorScatter: cache ", to_string(*past), " and update ", to_string(*update), " differ on axis ", i);
    }
  }
  context.set_output_shape(0, *past);
  return {};
}

}  // namespace

OperatorSchema attention_schema() {
  return {.name = "Attention", .since = 23, .min_inputs = 3, .max_inputs = 7, .max_outputs = 4, .types = kFloatTypes,
          .attributes = {{"is_causal", AttributeType::Int, false, "0"}, {"kv_num_heads", AttributeType::Int}, {"q_num_heads", AttributeType::Int},
                         {"qk_matmul_output_mode", AttributeType::Int, false, "0"}, {"scale", AttributeType::Float, false, "1/sqrt(head size)"},
                         {"softcap", AttributeType::Float, false, "0"}, {"softmax_precision", AttributeType::Int}},
          .infer = infer_attention, .summary = "softmax(scale * Q K' + mask) V, with grouped heads and a cache of keys and values"};
}

OperatorSchema rotary_embedding_schema() {
  return {.name = "RotaryEmbedding", .since = 23, .min_inputs = 3, .max_inputs = 4, .types = kFloatTypes,
          .attributes = {{"interleaved", AttributeType::Int, false, "0"}, {"num_heads", AttributeType::Int},
                         {"rotary_embedding_dim", AttributeType::Int, false, "0"}},
          .infer = infer_rotary, .summary = "rotates pairs of channels by angles that depend on the position"};
}

OperatorSchema tensor_scatter_schema() {
  return {.name = "TensorScatter", .since = 24, .min_inputs = 2, .max_inputs = 3,
          .attributes = {{"axis", AttributeType::Int, false, "-2"}, {"mode", AttributeType::String, false, "linear", {"linear", "circular"}}},
          .infer = infer_tensor_scatter, .summary = "writes new entries into a cache, at a place per batch entry"};
}

}  // namespace fovea::ops
