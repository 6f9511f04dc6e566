// SPDX-License-Identifier: Apache-2.0
// fovea::matmul: scale * A B + bias, residual and activation; what MatMul and Gemm become after the passes.
// Inputs A, B, C (optional bias: broadcasts to the output), R (optional, shaped as the output).
#include "ops/fused/broadcast.h"
#include "ops/fused/post_op_attributes.h"

namespace fovea::ops {

namespace {

Status infer_fused_matmul(InferContext& context) {
  context.set_output_element(0, context.input_element(0));
  const SymbolicShape* a = context.input_shape(0);
  const SymbolicShape* b = context.input_shape(1);
  if (a == nullptr || b == nullptr) return {};
  if (a->empty() || b->empty()) return invalid_argument("matmul: operands must have rank >= 1");
  const bool swap_a = context.attributes().get_int("transA", 0) != 0, swap_b = context.attributes().get_int("transB", 0) != 0;
  SymbolicShape a_batch, b_batch;
  if (a->size() > 2) a_batch.assign(a->begin(), a->end() - 2);
  if (b->size() > 2) b_batch.assign(b->begin(), b->end() - 2);
  FOVEA_ASSIGN(std::optional<SymbolicShape> y, broadcast(a_batch, b_batch));
  if (!y) return {};
  const Dim ka = a->size() == 1 ? (*a)[0] : swap_a ? a->end()[-2] : a->end()[-1];
  const Dim kb = b->size() == 1 ? (*b)[0] : swap_b ? b->end()[-1] : b->end()[-2];
  if (ka.is_constant() && kb.is_constant() && !(ka == kb)) {
    return invalid_argument("matmul: ", to_string(*a), " and ", to_string(*b), " do not agree on the inner extent");
  }
  if (a->size() > 1) y->push_back(swap_a ? a->end()[-1] : a->end()[-2]);
  if (b->size() > 1) y->push_back(swap_b ? b->end()[-2] : b->end()[-1]);
  context.set_output_shape(0, *std::move(y));
  return {};
}

}  // namespace

OperatorSchema fused_matmul_schema() {
  OperatorSchema schema{.name = "fovea::matmul", .min_inputs = 2, .max_inputs = 4, .types = kFloatTypes,
                        .attributes = {{.name = "scale", .type = AttributeType::Float, .default_text = "1"},
                                       {.name = "transA", .type = AttributeType::Int, .default_text = "0"},
                                       {.name = "transB", .type = AttributeType::Int, .default_text = "0"}},
                        .infer = infer_fused_matmul, .summary = "matrix product with scale, bias, residual and activation"};
  add_post_op_attributes(schema.attributes);
  return schema;
}

}  // namespace fovea::ops
