// SPDX-License-Identifier: Apache-2.0
// Shape rules shared by the elementwise operators, with propagation of shape arithmetic (Dim values).
#pragma once

#include "ops/schema.h"

namespace fovea::ops {

/// Output 0 has the shape of input 0 and the element type given, or input 0's.
Status infer_same_shape(InferContext& context, DataType element = DataType::undefined);
Status infer_unary(InferContext& context);
Status infer_unary_bool(InferContext& context);
/// Output 0 has the broadcast shape of all inputs.
Status infer_broadcast(InferContext& context, DataType element);
/// All inputs share one element type, which is the output's. Values of shape arithmetic flow through.
Status infer_arithmetic(InferContext& context);
/// All inputs share one element type; the output is bool.
Status infer_comparison(InferContext& context);
/// Fractions become values: rounded down or up, or by a cast to an integer type.
Status round_fractions(InferContext& context, bool down);
Status cast_fractions(InferContext& context, DataType type);
/// Fails when two inputs have different known element types.
Status check_same_element_type(InferContext& context, int first, int last);

}  // namespace fovea::ops
