// SPDX-License-Identifier: Apache-2.0
// Schemas of MatMul, Gemm, MatMulInteger, QLinearMatMul and Det.
#include "ops/matmul/matmul_infer.h"

namespace fovea::ops {

namespace {

constexpr TypeSet kMultipliable = kFloatTypes | types(DataType::i32, DataType::u32, DataType::i64, DataType::u64);
constexpr TypeSet kBytes = types(DataType::i8, DataType::u8);

Status infer_matmul(InferContext& context) {
  context.set_output_element(0, context.input_element(0));
  return infer_product(context, 0, 1, false, false);
}

Status infer_gemm(InferContext& context) {
  context.set_output_element(0, context.input_element(0));
  const SymbolicShape* a = context.input_shape(0);
  const SymbolicShape* b = context.input_shape(1);
  if ((a && a->size() != 2) || (b && b->size() != 2)) return invalid_argument("Gemm: A and B must have rank 2");
  return infer_product(context, 0, 1, context.attributes().get_int("transA", 0) != 0, context.attributes().get_int("transB", 0) != 0);
}

Status infer_matmul_integer(InferContext& context) {
  context.set_output_element(0, DataType::i32);
  return infer_product(context, 0, 1, false, false);
}

Status infer_qlinear_matmul(InferContext& context) {
  context.set_output_element(0, context.input_element(7));
  return infer_product(context, 0, 3, false, false);
}

Status infer_det(InferContext& context) {
  context.set_output_element(0, context.input_element(0));
  const SymbolicShape* shape = context.input_shape(0);
  if (!shape) return {};
  if (shape->size() < 2) return invalid_argument("Det: expected rank >= 2, found ", to_string(*shape));
  context.set_output_shape(0, SymbolicShape(shape->begin(), shape->end() - 2));
  return {};
}

}  // namespace

Status infer_product(InferContext& context, int a_input, int b_input, bool swap_a, bool swap_b) {
  const SymbolicShape* a = context.input_shape(a_input);
  const SymbolicShape* b = context.input_shape(b_input);
  if (!a || !b) return {};
  if (a->empty() || b->empty()) return invalid_argument("operands must have rank >= 1");
  SymbolicShape a_batch, b_batch;
  if (a->size() > 2) a_batch.assign(a->begin(), a->end() - 2);
  if (b->size() > 2) b_batch.assign(b->begin(), b->end() - 2);
  const std::vector<const SymbolicShape*> batches = {&a_batch, &b_batch};
  FOVEA_ASSIGN(SymbolicShape y, broadcast_shapes(context.op(), batches));
  const Dim ka = a->size() == 1 ? (*a)[0] : swap_a ? a->end()[-2] : a->end()[-1];
  const Dim kb = b->size() == 1 ? (*b)[0] : swap_b ? b->end()[-1] : b->end()[-2];
  if (ka.is_constant() && kb.is_constant() && !(ka == kb)) {
    return invalid_argument(to_string(*a), " and ", to_string(*b), " do not agree on the inner extent");
  }
  if (a->size() > 1) y.push_back(swap_a ? a->end()[-1] : a->end()[-2]);
  if (b->size() > 1) y.push_back(swap_b ? b->end()[-2] : b->end()[-1]);
  context.set_output_shape(0, std::move(y));
  return {};
}

OperatorSchema det_schema() { return {.name = "Det", .since = 11, .types = kFloatTypes, .infer = infer_det, .summary = "determinants of square matrices"}; }
OperatorSchema gemm_schema() {
  return {.name = "Gemm", .min_inputs = 2, .max_inputs = 3, .types = kMultipliable,
          .attributes = {{"alpha", AttributeType::Float, false, "1"}, {"beta", AttributeType::Float, false, "1"},
                         {"transA", AttributeType::Int, false, "0"}, {"transB", AttributeType::Int, false, "0"}},
          .infer = infer_gemm, .summary = "alpha A B + beta C"};
}
OperatorSchema matmul_schema() {
  return {.name = "MatMul", .min_inputs = 2, .max_inputs = 2, .types = kMultipliable, .infer = infer_matmul, .summary = "matrix product, batches broadcast as in numpy"};
}
OperatorSchema matmul_integer_schema() {
  return {.name = "MatMulInteger", .since = 10, .min_inputs = 2, .max_inputs = 4, .types = kBytes, .infer = infer_matmul_integer,
          .summary = "product of 8-bit matrices, summed in i32"};
}
OperatorSchema qlinear_matmul_schema() {
  return {.name = "QLinearMatMul", .since = 10, .min_inputs = 8, .max_inputs = 8, .types = kBytes | types(DataType::f8e4m3fn, DataType::f8e5m2),
          .infer = infer_qlinear_matmul, .summary = "product of quantised matrices, requantised"};
}

}  // namespace fovea::ops
