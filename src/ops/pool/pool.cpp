// SPDX-License-Identifier: Apache-2.0
// AveragePool, MaxPool, LpPool and the global poolings: schemas and shape rules.
#include "ops/pool/pool_params.h"
#include "ops/schema.h"

namespace fovea::ops {

namespace {

Status infer_pool(InferContext& context) {
  const bool with_indices = context.num_outputs() > 1;
  context.set_output_element(0, context.input_element(0));
  if (with_indices) context.set_output_element(1, DataType::i64);
  const SymbolicShape* x = context.input_shape(0);
  if (!x) return {};
  FOVEA_ASSIGN(const PoolParams params, PoolParams::parse(context.attributes(), static_cast<int>(x->size())));
  SymbolicShape y{(*x)[0], (*x)[1]};
  for (int i = 0; i < params.window.spatial_rank(); ++i) {
    FOVEA_ASSIGN(const Dim extent, output_extent(params.window, i, (*x)[static_cast<std::size_t>(i) + 2]));
    y.push_back(extent);
  }
  if (with_indices) context.set_output_shape(1, y);
  context.set_output_shape(0, std::move(y));
  return {};
}

Status infer_global(InferContext& context) {
  context.set_output_element(0, context.input_element(0));
  const SymbolicShape* x = context.input_shape(0);
  if (!x) return {};
  if (x->size() < 2) return invalid_model("input 0: expected rank 2 or more (batch, channels, spatial axes), found ", to_string(*x));
  SymbolicShape y = *x;
  std::fill(y.begin() + 2, y.end(), Dim(1));
  context.set_output_shape(0, std::move(y));
  return {};
}

std::vector<AttributeSpec> window_attributes(std::initializer_list<AttributeSpec> more) {
  std::vector<AttributeSpec> specs = {
      {.name = "auto_pad", .type = AttributeType::String, .default_text = "NOTSET", .allowed = {"NOTSET", "VALID", "SAME_UPPER", "SAME_LOWER"}},
      {.name = "ceil_mode", .type = AttributeType::Int, .default_text = "0"},
      {.name = "dilations", .type = AttributeType::Ints, .default_text = "all 1"},
      {.name = "kernel_shape", .type = AttributeType::Ints, .required = true},
      {.name = "pads", .type = AttributeType::Ints, .default_text = "all 0"},
      {.name = "strides", .type = AttributeType::Ints, .default_text = "all 1"},
  };
  specs.insert(specs.end(), more);
  return specs;
}

}  // namespace

OperatorSchema average_pool_schema() {
  return {.name = "AveragePool", .types = kFloatTypes,
          .attributes = window_attributes({{.name = "count_include_pad", .type = AttributeType::Int, .default_text = "0"}}),
          .infer = infer_pool, .summary = "mean over sliding windows"};
}

OperatorSchema max_pool_schema() {
  return {.name = "MaxPool", .max_outputs = 2, .types = kFloatTypes | types(DataType::i8, DataType::u8),
          .attributes = window_attributes({{.name = "storage_order", .type = AttributeType::Int, .default_text = "0"}}),
          .infer = infer_pool, .summary = "maximum over sliding windows, optionally with its place"};
}

OperatorSchema lp_pool_schema() {
  return {.name = "LpPool", .types = kFloatTypes,
          .attributes = window_attributes({{.name = "p", .type = AttributeType::Int, .default_text = "2"}}),
          .infer = infer_pool, .summary = "p-norm over sliding windows"};
}

OperatorSchema global_average_pool_schema() {
  return {.name = "GlobalAveragePool", .types = kFloatTypes, .infer = infer_global, .summary = "mean over all spatial axes"};
}

OperatorSchema global_max_pool_schema() {
  return {.name = "GlobalMaxPool", .types = kFloatTypes, .infer = infer_global, .summary = "maximum over all spatial axes"};
}

OperatorSchema global_lp_pool_schema() {
  return {.name = "GlobalLpPool", .since = 2, .types = kFloatTypes,
          .attributes = {{.name = "p", .type = AttributeType::Int, .default_text = "2"}},
          .infer = infer_global, .summary = "p-norm over all spatial axes"};
}

}  // namespace fovea::ops
