// SPDX-License-Identifier: Apache-2.0
// MatMulInteger: (A - a_zero)(B - b_zero) in i32. QLinearMatMul: the same, then rescaled, rounded to even and shifted
// by y_zero. Zero points and scales are one value, one per row of A, or one per column of B.
#include <cmath>

#include "ops/matmul/matrix_product.h"
#include "ops/quantize/integer_range.h"
#include "ops/wide.h"

namespace fovea::ops {

namespace {

/// Value for row `r` (A) or column `r` (B) of batch entry `batch` of a scalar, a vector, or a matrix per batch.
struct PerLine {
  Tensor values;  // f64
  std::int64_t lines = 1;
  double at(std::int64_t batch, std::int64_t r) const {
    const std::int64_t count = values.elements();
    return count == 1 ? values.data<double>()[0] : values.data<double>()[(batch * lines + r) % count];
  }
};

Result<PerLine> per_line(KernelContext& context, int input, std::int64_t lines) {
  PerLine result;
  result.lines = lines;
  if (!context.has_input(input)) {
    FOVEA_ASSIGN(result.values, Tensor::allocate(DataType::f64, {1}));
    return result;
  }
  FOVEA_ASSIGN(result.values, widen(context, input));
  const std::int64_t count = result.values.elements();
  if (count != 1 && (count == 0 || lines == 0 || count % lines != 0)) return invalid_argument(context.op(), ": input ", input, ": expected 1 or ", lines, " elements, found ", count);
  return result;
}

/// (A - a_zero)(B - b_zero): exact in f64, since every product of two bytes is small.
Result<Tensor> shifted_product(KernelContext& context, const MatMulShapes& s, int a_input, int a_zero, int b_input, int b_zero) {
  FOVEA_ASSIGN(Tensor a, cast_tensor(context.input(a_input), DataType::f64, context.op()));
  FOVEA_ASSIGN(Tensor b, cast_tensor(context.input(b_input), DataType::f64, context.op()));
  FOVEA_ASSIGN(const PerLine za, per_line(context, a_zero, s.m));
  FOVEA_ASSIGN(const PerLine zb, per_line(context, b_zero, s.n));
  for (std::int64_t i = 0; i < a.elements(); ++i) a.data<double>()[i] -= za.at(i / (s.m * s.k), i / s.k % s.m);
  for (std::int64_t i = 0; i < b.elements(); ++i) b.data<double>()[i] -= zb.at(i / (s.k * s.n), i % s.n);
  FOVEA_ASSIGN(Tensor y, Tensor::allocate(DataType::f64, s.output));
  matrix_product(s, a.data<double>(), b.data<double>(), y.data<double>());
  return y;
}

}  // namespace

Status matmul_integer_reference(KernelContext& context) {
  FOVEA_ASSIGN(const MatMulShapes s, MatMulShapes::resolve({}, context.input(0).shape(), context.input(1).shape()));
  FOVEA_ASSIGN(const Tensor y, shifted_product(context, s, 0, 2, 1, 3));
  return store(context, 0, DataType::i32, y);
}

Status qlinear_matmul_reference(KernelContext& context) {
  FOVEA_ASSIGN(const MatMulShapes s, MatMulShapes::resolve({}, context.input(0).shape(), context.input(3).shape()));
  FOVEA_ASSIGN(Tensor y, shifted_product(context, s, 0, 2, 3, 5));
  FOVEA_ASSIGN(const PerLine a_scale, per_line(context, 1, s.m));
  FOVEA_ASSIGN(const PerLine b_scale, per_line(context, 4, s.n));
  FOVEA_ASSIGN(const PerLine y_scale, per_line(context, 6, s.m));
  FOVEA_ASSIGN(const PerLine y_zero, per_line(context, 7, s.m));
  const DataType type = context.input(7).type();
  const IntegerRange range = integer_range(type);
  for (std::int64_t i = 0; i < y.elements(); ++i) {
    const std::int64_t batch = i / (s.m * s.n), row = i / s.n % s.m, column = i % s.n;
    double& value = y.data<double>()[i];
    value = value * a_scale.at(batch, row) * b_scale.at(batch, column) / y_scale.at(batch, row);
    if (is_integer(type)) value = range.clamp(std::nearbyint(value) + y_zero.at(batch, row));
  }
  return store(context, 0, type, y);
}

}  // namespace fovea::ops
