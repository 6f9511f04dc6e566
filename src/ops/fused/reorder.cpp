// SPDX-License-Identifier: Apache-2.0
// fovea::reorder: changes the layout of a tensor; the descriptors of input and output say from and to. The
// logical tensor stays the same. Inserted by layout assignment only.
#include "ops/schema.h"

namespace fovea::ops {

namespace {
Status infer_fused_reorder(InferContext& context) {
  context.set_output_type(0, context.input_type(0));
  if (const SymbolicShape* shape = context.input_shape(0)) context.set_output_shape(0, *shape);
  return {};
}
}  // namespace

OperatorSchema fused_reorder_schema() { return {.name = "fovea::reorder", .infer = infer_fused_reorder, .summary = "changes a tensor's memory layout"}; }

}  // namespace fovea::ops
