// SPDX-License-Identifier: Apache-2.0
// MMCVCornerPool: the maximum of all elements from here to one border of the map; corner detectors look for objects'
// outermost points that way.
#include "ops/detection/corner_pool.h"

#include "ops/schema.h"

namespace fovea::ops {

namespace {

Status infer_corner_pool(InferContext& context) {
  context.set_output_type(0, context.input_type(0));
  FOVEA_RETURN_IF_ERROR(corner_pool_mode(context.attributes()).status());
  const SymbolicShape* x = context.input_shape(0);
  if (x && x->size() != 4) return invalid_model("input 0: expected rank 4, found ", to_string(*x));
  if (x) context.set_output_shape(0, *x);
  return {};
}

}  // namespace

Result<CornerPoolMode> corner_pool_mode(const Attributes& attributes) {
  const std::int64_t mode = attributes.get_int("mode", -1);
  if (mode < 0 || mode > 3)
    return invalid_model("mode: expected 0 (top), 1 (bottom), 2 (left) or 3 (right), found ", mode);
  return static_cast<CornerPoolMode>(mode);
}

OperatorSchema corner_pool_schema() {
  return {.name = "mmcv::MMCVCornerPool",
          .types = kFloatTypes,
          .attributes = {{.name = "mode", .required = true}},
          .infer = infer_corner_pool,
          .summary = "running maximum from one border of the map"};
}

}  // namespace fovea::ops
