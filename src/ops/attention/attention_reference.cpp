// SPDX-License-Identifier: Apache-2.0
// Attention: y = softmax(softcap(scale * q k' + bias)) v for each batch entry, head and row, in f64.
// The bias is the mask, minus infinity above the diagonal (is_causal) and behind the valid keys (nonpad_kv_seqlen).
#include <cmath>
#include <limits>
#include <optional>
#include <span>
#include <vector>

#include "backends/cpu/kit/wide_gemm.h"
#include "base/checked_math.h"
#include "ops/elementwise/broadcast.h"
#include "ops/wide.h"

namespace fovea::ops {

namespace {

constexpr double kMinusInfinity = -std::numeric_limits<double>::infinity();

/// A tensor seen as [batch, heads, rows, width], stored like that or with heads side by side in the width.
struct Heads {
  std::int64_t batch = 0, heads = 0, rows = 0, width = 0;
  bool packed = false;

  static Result<Heads> of(const Tensor& x, const char* what, std::int64_t num_heads) {
    if (x.rank() == 4) return Heads{x.dim(0), x.dim(1), x.dim(2), x.dim(3), false};
    if (x.rank() != 3) return invalid_argument("Attention: ", what, " must have rank 3 or 4, found ", x.rank());
    if (num_heads <= 0 || x.dim(2) % num_heads != 0) {
      return invalid_argument("Attention: ", what, " of width ", x.dim(2), " does not split into ", num_heads, " heads");
    }
    return Heads{x.dim(0), num_heads, x.dim(1), x.dim(2) / num_heads, true};
  }
  std::int64_t row_offset(std::int64_t b, std::int64_t h, std::int64_t row) const {
    return packed ? ((b * rows + row) * heads + h) * width : ((b * heads + h) * rows + row) * width;
  }
};

/// Keys or values of the cache followed by the new ones, as f64 [batch, heads, total, width].
struct Sequence {
  Tensor wide;
  std::int64_t past = 0, total = 0;
};

Result<Sequence> append(const KernelContext& context, int fresh, const Heads& heads, int cache, const char* what) {
  Sequence result;
  if (context.has_input(cache)) {
    const Tensor& past = context.input(cache);
    if (past.type() != context.input(fresh).type() || past.rank() != 4 || past.dim(0) != heads.batch || past.dim(1) != heads.heads || past.dim(3) != heads.width) {
      return invalid_argument("Attention: ", what, " is ", name(past.type()), " ", past.shape().to_string(), ", which does not fit the new entries of ",
                              heads.batch, "x", heads.heads, "x", heads.rows, "x", heads.width);
    }
    result.past = past.dim(2);
  }
  if (!checked_add(result.past, heads.rows, result.total)) return invalid_argument("Attention: ", what, " is too long");
  FOVEA_ASSIGN(result.wide, Tensor::allocate(DataType::f64, {heads.batch, heads.heads, result.total, heads.width}));
  if (result.wide.elements() == 0) return result;
  FOVEA_ASSIGN(const Tensor added, widen(context, fresh));
  Tensor past;
  if (context.has_input(cache)) {
    FOVEA_ASSIGN(past, widen(context, cache));
  }
  double* out = result.wide.data<double>();
  for (std::int64_t b = 0; b < heads.batch; ++b) {
    for (std::int64_t h = 0; h < heads.heads; ++h) {
      if (past.defined()) out = std::copy_n(past.data<double>() + (b * heads.heads + h) * result.past * heads.width, result.past * heads.width, out);
      for (std::int64_t row = 0; row < heads.rows; ++row) out = std::copy_n(added.data<double>() + heads.row_offset(b, h, row), heads.width, out);
    }
  }
  return result;
}

/// The mask as f64 addends. A last axis shorter than the keys hides the keys behind it.
struct Mask {
  Tensor wide;
  Shape strides;  // over [batch, heads, rows, keys]
  std::int64_t keys = 0;

  static Result<std::optional<Mask>> read(const KernelContext& context, Shape scores) {
    if (!context.has_input(3)) return std::optional<Mask>();
    const Tensor& given = context.input(3);
    const std::int64_t total = scores[3];
    if (given.rank() > 0) scores[3] = given.dim(given.rank() - 1);
    if (scores[3] > total || !broadcasts_to(given.shape(), scores)) {
      return invalid_argument("Attention: mask of shape ", given.shape().to_string(), " does not stretch to ", scores[0], "x", scores[1], "x", scores[2], "x", total);
    }
    Mask mask;
    mask.keys = given.rank() > 0 ? scores[3] : total;
    FOVEA_ASSIGN(mask.wide, Tensor::allocate(DataType::f64, given.shape()));
    FOVEA_RETURN_IF_ERROR(cast_elements(given, mask.wide, "Attention"));
    if (given.type() == DataType::boolean) {
      for (double& value : mask.wide.values<double>()) value = value != 0 ? 0.0 : kMinusInfinity;
    }
    mask.strides = broadcast_strides(given.shape(), scores);
    return std::optional<Mask>(std::move(mask));
  }
};

void softmax(double* scores, std::int64_t count) {
  double largest = kMinusInfinity, sum = 0;
  for (std::int64_t j = 0; j < count; ++j) largest = scores[j] > largest ? scores[j] : largest;
  for (std::int64_t j = 0; j < count; ++j) sum += scores[j] = std::exp(scores[j] - largest);
  for (std::int64_t j = 0; j < count; ++j) scores[j] /= sum;
}

/// Matrices b[k, n] as wide_gemm() reads them: panel after panel of n, each k rows of `width` numbers, zeros behind n.
struct Panels {
  Tensor wide;
  std::int64_t k = 0, count = 0, width = 0;

  const double* panel(std::int64_t matrix, std::int64_t p) const { return wide.data<double>() + (matrix * count + p) * k * width; }
  std::int64_t columns() const { return count * width; }

  /// at(matrix, i, j): the element of b.
  template <class At>
  static Result<Panels> pack(std::int64_t matrices, std::int64_t k, std::int64_t n, const At& at) {
    const std::int64_t width = cpu::wide_gemm().panel;
    Panels panels{{}, k, (n + width - 1) / width, width};
    FOVEA_ASSIGN(panels.wide, Tensor::allocate(DataType::f64, {matrices, panels.count, k, width}));
    double* out = panels.wide.data<double>();
    for (std::int64_t m = 0; m < matrices; ++m) {
      for (std::int64_t p = 0; p < panels.count; ++p) {
        for (std::int64_t i = 0; i < k; ++i, out += width) {
          for (std::int64_t j = p * width; j < std::min(n, (p + 1) * width); ++j) out[j - p * width] = at(m, i, j);
        }
      }
    }
    return panels;
  }

  /// c[rows, columns()] = a[rows, k] * b.
  void multiply(std::int64_t matrix, const double* a, std::int64_t lda, std::int64_t rows, std::vector<double>& c) const {
    c.assign(static_cast<std::size_t>(rows * columns()), 0.0);
    for (std::int64_t p = 0; p < count; ++p) cpu::wide_gemm().accumulate(a, lda, panel(matrix, p), c.data() + p * width, columns(), rows, k);
  }
};

}  // namespace

Status attention_reference(KernelContext& context) {
  const Attributes& attributes = context.attributes();
  const Tensor &q = context.input(0), &k = context.input(1), &v = context.input(2);
  FOVEA_ASSIGN(const Heads qs, Heads::of(q, "Q", attributes.get_int("q_num_heads")));
  FOVEA_ASSIGN(const Heads ks, Heads::of(k, "K", attributes.get_int("kv_num_heads")));
  FOVEA_ASSIGN(const Heads vs, Heads::of(v, "V", attributes.get_int("kv_num_heads")));
  if (qs.batch != ks.batch || qs.batch != vs.batch || qs.width != ks.width || ks.rows != vs.rows || ks.heads != vs.heads || ks.heads == 0 ||
      qs.heads % ks.heads != 0 || qs.packed != ks.packed || qs.packed != vs.packed) {
    return invalid_argument("Attention: Q ", q.shape().to_string(), ", K ", k.shape().to_string(), " and V ", v.shape().to_string(), " do not fit together");
  }
  if (context.has_input(4) != context.has_input(5)) return invalid_argument("Attention: past_key and past_value come together");
  FOVEA_ASSIGN(const Sequence keys, append(context, 1, ks, 4, "past_key"));
  FOVEA_ASSIGN(const Sequence values, append(context, 2, vs, 5, "past_value"));
  if (keys.total != values.total) return invalid_argument("Attention: past_key has ", keys.past, " entries and past_value ", values.past);
  const std::int64_t total = keys.total;
  FOVEA_ASSIGN(const std::optional<Mask> mask, Mask::read(context, {qs.batch, qs.heads, qs.rows, total}));
  const std::int64_t* valid = nullptr;  // keys per batch entry
  if (context.has_input(6)) {
    const Tensor& lengths = context.input(6);
    if (lengths.type() != DataType::i64 || lengths.elements() != qs.batch) {
      return invalid_argument("Attention: nonpad_kv_seqlen must be ", qs.batch, " numbers of type i64, found ", name(lengths.type()), " ", lengths.shape().to_string());
    }
    valid = lengths.data<std::int64_t>();
  }
  const double scale = attributes.get_float("scale", 1 / std::sqrt(static_cast<double>(qs.width)));
  const double softcap = attributes.get_float("softcap", 0);
  const bool causal = attributes.get_int("is_causal", 0) != 0;
  const std::int64_t mode = attributes.get_int("qk_matmul_output_mode", 0);
  if (mode < 0 || mode > 3) return invalid_argument("Attention: qk_matmul_output_mode must be 0 to 3, found ", mode);

  FOVEA_ASSIGN(const Tensor queries, widen(context, 0));
  const std::int64_t matrices = keys.wide.elements() == 0 && values.wide.elements() == 0 ? 0 : ks.batch * ks.heads;
  FOVEA_ASSIGN(const Panels key_panels, Panels::pack(matrices, qs.width, total, [&](std::int64_t m, std::int64_t d, std::int64_t j) {
                 return keys.wide.data<double>()[(m * total + j) * qs.width + d];
               }));
  FOVEA_ASSIGN(const Panels value_panels, Panels::pack(matrices, total, vs.width, [&](std::int64_t m, std::int64_t j, std::int64_t d) {
                 return values.wide.data<double>()[(m * total + j) * vs.width + d];
               }));
  FOVEA_ASSIGN(Tensor y, Tensor::allocate(DataType::f64, qs.packed ? Shape{qs.batch, qs.rows, qs.heads * vs.width}
                                                                   : Shape{qs.batch, qs.heads, qs.rows, vs.width}));
  Tensor shown;  // what qk_matmul_output holds
  if (context.num_outputs() > 3) {
    FOVEA_ASSIGN(shown, Tensor::allocate(DataType::f64, {qs.batch, qs.heads, qs.rows, total}));
  }
  const Heads ys{qs.batch, qs.heads, qs.rows, vs.width, qs.packed};
  constexpr std::int64_t kRows = 48;  // of one head together, a multiple of wide_gemm().rows
  const std::int64_t blocks = q.elements() == 0 && y.elements() == 0 ? 0 : (qs.rows + kRows - 1) / kRows;
  const std::int64_t jobs = qs.batch * qs.heads * blocks, query_stride = qs.packed ? qs.heads * qs.width : qs.width;
#pragma omp parallel for schedule(dynamic) if (static_cast<double>(qs.batch * qs.heads * qs.rows) * static_cast<double>(total) > 4096)
  for (std::int64_t job = 0; job < jobs; ++job) {
    const std::int64_t b = job / (qs.heads * blocks), h = job / blocks % qs.heads, first = job % blocks * kRows, rows = std::min(kRows, qs.rows - first);
    const std::int64_t matrix = b * ks.heads + h / (qs.heads / ks.heads), width = key_panels.columns();
    std::vector<double> products, sums;
    key_panels.multiply(matrix, queries.data<double>() + qs.row_offset(b, h, first), query_stride, rows, products);
    for (std::int64_t r = 0; r < rows; ++r) {
      const std::int64_t i = first + r, line = (b * qs.heads + h) * qs.rows + i;
      const std::span<double> scores(products.data() + r * width, static_cast<std::size_t>(total));
      const auto show = [&](std::int64_t stage) {
        if (shown.defined() && mode == stage) std::copy(scores.begin(), scores.end(), shown.data<double>() + line * total);
      };
      for (double& score : scores) score *= scale;
      show(0);
      const double* bias = mask ? mask->wide.data<double>() + b * mask->strides[0] + h * mask->strides[1] + i * mask->strides[2] : nullptr;
      for (std::int64_t j = 0; j < total; ++j) {
        double& score = scores[static_cast<std::size_t>(j)];
        if (bias) score += j < mask->keys ? bias[j * mask->strides[3]] : kMinusInfinity;
        if ((causal && j > i + keys.past) || (valid && j >= valid[b])) score += kMinusInfinity;
      }
      show(1);
      if (softcap > 0) {
        for (double& score : scores) score = std::tanh(score / softcap) * softcap;
      }
      show(2);
      softmax(scores.data(), total);
      show(3);
    }
    value_panels.multiply(matrix, products.data(), width, rows, sums);
    for (std::int64_t r = 0; r < rows; ++r) std::copy_n(sums.data() + r * value_panels.columns(), vs.width, y.data<double>() + ys.row_offset(b, h, first + r));
  }
  FOVEA_RETURN_IF_ERROR(store(context, 0, q.type(), y));
  if (context.num_outputs() > 1) FOVEA_RETURN_IF_ERROR(store(context, 1, k.type(), keys.wide));
  if (context.num_outputs() > 2) FOVEA_RETURN_IF_ERROR(store(context, 2, v.type(), values.wide));
  return context.num_outputs() > 3 ? store(context, 3, q.type(), shown) : Status();
}

}  // namespace fovea::ops
