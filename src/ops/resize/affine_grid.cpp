// SPDX-License-Identifier: Apache-2.0
// AffineGrid: schema and shape rule. theta [n, d, d+1], size (n, c, extents...) -> grid [n, extents..., d], d = 2 or 3.
#include "ops/known_values.h"

namespace fovea::ops {

namespace {

Status infer_affine_grid(InferContext& context) {
  context.set_output_element(0, context.input_element(0));
  const auto size = known_dims(context, 1);
  if (!size) return {};
  if (size->size() != 4 && size->size() != 5) return invalid_model("size: expected 4 or 5 extents, found ", size->size());
  SymbolicShape grid{(*size)[0]};
  grid.insert(grid.end(), size->begin() + 2, size->end());
  grid.push_back(Dim(static_cast<std::int64_t>(size->size()) - 2));
  context.set_output_shape(0, std::move(grid));
  return {};
}

}  // namespace

OperatorSchema affine_grid_schema() {
  return {.name = "AffineGrid", .since = 20, .min_inputs = 2, .max_inputs = 2, .types = kFloatTypes,
          .attributes = {{.name = "align_corners", .type = AttributeType::Int, .default_text = "0"}},
          .infer = infer_affine_grid, .summary = "sampling grid of an affine map, for GridSample"};
}

}  // namespace fovea::ops
