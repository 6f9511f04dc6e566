// SPDX-License-Identifier: Apache-2.0
// MatMul and Gemm: floats are multiplied and added in f64, integers wrap around.
#include "ops/elementwise/broadcast.h"
#include "ops/matmul/float_product.h"
#include "ops/matmul/matrix_product.h"
#include "ops/wide.h"

namespace fovea::ops {

namespace {

/// The product of integer matrices of any width, exact modulo 2^64 and so modulo the width.
Status integer_matmul(KernelContext& context, const MatMulShapes& s) {
  const DataType type = context.input(0).type();
  if (context.input(1).type() != type) {
    return invalid_argument(context.op(), ": both matrices must have one element type, found ", name(type), " and ", name(context.input(1).type()));
  }
  return dispatch<std::int32_t, std::uint32_t, std::int64_t, std::uint64_t>(type, context.op(), [&](auto tag) -> Status {
    using T = typename decltype(tag)::type;
    const auto wide = [](const Tensor& tensor) {
      std::vector<std::uint64_t> values;
      for (const T value : tensor.values<T>()) values.push_back(static_cast<std::uint64_t>(value));
      return values;
    };
    const auto a = wide(context.input(0)), b = wide(context.input(1));
    std::vector<std::uint64_t> product(static_cast<std::size_t>(s.output.elements()));
    matrix_product(s, a.data(), b.data(), product.data());
    FOVEA_ASSIGN(Tensor y, context.output(0, type, s.output));
    for (std::size_t i = 0; i < product.size(); ++i) y.data<T>()[i] = static_cast<T>(product[i]);
    return {};
  });
}

/// a b in f64.
Result<Tensor> wide_matmul(const KernelContext& context, const MatMulShapes& s) {
  const auto readable = [](const Tensor& x) { return x.type() == DataType::f32 ? Result<Tensor>(x) : cast_tensor(x, DataType::f64, "matmul"); };
  FOVEA_ASSIGN(Tensor a, readable(context.input(0)));
  FOVEA_ASSIGN(Tensor b, readable(context.input(1)));
  if (a.type() != b.type()) {
    FOVEA_ASSIGN(a, cast_tensor(a, DataType::f64, context.op()));
    FOVEA_ASSIGN(b, cast_tensor(b, DataType::f64, context.op()));
  }
  FOVEA_ASSIGN(Tensor y, Tensor::allocate(DataType::f64, s.output));
  const auto emit = [&](std::int64_t at, std::int64_t count, const double* sums) { std::copy_n(sums, count, y.data<double>() + at); };
  if (a.type() == DataType::f32) float_product(s, a.data<float>(), b.data<float>(), emit);
  else float_product(s, a.data<double>(), b.data<double>(), emit);
  return y;
}

}  // namespace

Status matmul_reference(KernelContext& context) {
  FOVEA_ASSIGN(const MatMulShapes s, MatMulShapes::resolve({}, context.input(0).shape(), context.input(1).shape()));
  if (!is_floating(context.input(0).type())) return integer_matmul(context, s);
  const Tensor &a = context.input(0), &b = context.input(1);
  if (a.type() == DataType::f32 && b.type() == DataType::f32) {  // with no f64 copy of what may be large
    FOVEA_ASSIGN(Tensor y, context.output(0, DataType::f32, s.output));
    float_product(s, a.data<float>(), b.data<float>(), [&](std::int64_t at, std::int64_t count, const double* sums) {
      for (std::int64_t i = 0; i < count; ++i) y.data<float>()[at + i] = static_cast<float>(sums[i]);
    });
    return {};
  }
  FOVEA_ASSIGN(const Tensor y, wide_matmul(context, s));
  return store(context, 0, a.type(), y);
}

/// y = alpha * op(A) op(B) + beta * C. Integers go through f64 as well: exact up to 2^53.
Status gemm_reference(KernelContext& context) {
  FOVEA_ASSIGN(const MatMulShapes s, MatMulShapes::resolve(context.attributes(), context.input(0).shape(), context.input(1).shape()));
  const double alpha = context.attributes().get_float("alpha", 1), beta = context.attributes().get_float("beta", 1);
  FOVEA_ASSIGN(Tensor y, wide_matmul(context, s));
  for (double& value : y.values<double>()) value *= alpha;
  if (context.has_input(2) && beta != 0) {
    FOVEA_ASSIGN(const Tensor c, widen(context, 2));
    if (!broadcasts_to(c.shape(), y.shape())) return invalid_argument("Gemm: C ", c.shape().to_string(), " does not broadcast to ", y.shape().to_string());
    BroadcastLoop<1>(y.shape(), {&c.shape()}).for_each_row([&](std::int64_t at, const auto& offsets, const auto& strides, std::int64_t count) {
      for (std::int64_t i = 0; i < count; ++i) y.data<double>()[at + i] += beta * c.data<double>()[offsets[0] + i * strides[0]];
    });
  }
  return store(context, 0, context.input(0).type(), y);
}

/// Gaussian elimination with partial pivoting.
Status det_reference(KernelContext& context) {
  FOVEA_ASSIGN(const Tensor x, widen(context, 0));
  const int rank = x.rank();
  if (rank < 2 || x.dim(rank - 1) != x.dim(rank - 2)) return invalid_argument("Det: expected square matrices, found ", x.shape().to_string());
  const std::int64_t n = x.dim(rank - 1);
  FOVEA_ASSIGN(Tensor y, Tensor::allocate(DataType::f64, Shape(x.shape().dims().subspan(0, static_cast<std::size_t>(rank) - 2))));
  for (std::int64_t batch = 0; batch < y.elements(); ++batch) {
    std::vector<double> m(x.data<double>() + batch * n * n, x.data<double>() + (batch + 1) * n * n);
    const auto at = [&](std::int64_t r, std::int64_t c) -> double& { return m[static_cast<std::size_t>(r * n + c)]; };
    double determinant = 1;
    for (std::int64_t c = 0; c < n && determinant != 0; ++c) {
      std::int64_t pivot = c;
      for (std::int64_t r = c + 1; r < n; ++r) {
        if (std::abs(at(r, c)) > std::abs(at(pivot, c))) pivot = r;
      }
      if (pivot != c) {
        for (std::int64_t k = 0; k < n; ++k) std::swap(at(pivot, k), at(c, k));
        determinant = -determinant;
      }
      determinant *= at(c, c);
      if (determinant == 0) break;
      for (std::int64_t r = c + 1; r < n; ++r) {
        const double factor = at(r, c) / at(c, c);
        for (std::int64_t k = c; k < n; ++k) at(r, k) -= factor * at(c, k);
      }
    }
    y.data<double>()[batch] = determinant;
  }
  return store(context, 0, context.input(0).type(), y);
}

}  // namespace fovea::ops
