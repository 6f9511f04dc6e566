// SPDX-License-Identifier: Apache-2.0
#include "compiler/compare.h"

#include <algorithm>
#include <cmath>
#include <complex>
#include <cstring>
#include <limits>
#include <vector>

#include "base/number_reader.h"

namespace fovea {

namespace {

bool same_bytes(const Tensor& a, const Tensor& b, std::int64_t i) {
  const std::size_t size = size_of(a.type());
  return std::memcmp(a.data<char>() + static_cast<std::size_t>(i) * size, b.data<char>() + static_cast<std::size_t>(i) * size, size) == 0;
}

Status check_alike(const Tensor& actual, const Tensor& expected) {
  if (actual.type() != expected.type()) return invalid_argument("expected type ", name(expected.type()), ", found ", name(actual.type()));
  if (!(actual.shape() == expected.shape())) return invalid_argument("expected shape ", expected.shape().to_string(), ", found ", actual.shape().to_string());
  return {};
}

template <class Visit>  // visit(actual, expected) for each number; complex ones count as two
void for_each_pair(const Tensor& a, const Tensor& b, Visit visit) {
  const std::int64_t count = a.elements();
  if (a.type() == DataType::string) {
    for (std::int64_t i = 0; i < count; ++i) visit(a.data<std::string>()[i] == b.data<std::string>()[i] ? 0.0 : 1.0, 0.0);
  } else if (a.type() == DataType::c64) {
    for (std::int64_t i = 0; i < 2 * count; ++i) visit(static_cast<double>(a.data<float>()[i]), static_cast<double>(b.data<float>()[i]));
  } else if (a.type() == DataType::c128) {
    for (std::int64_t i = 0; i < 2 * count; ++i) visit(a.data<double>()[i], b.data<double>()[i]);
  } else {
    for (std::int64_t i = 0; i < count; ++i) {
      if (is_integer(a.type()) && same_bytes(a, b, i)) {
        const double value = read_number(b, i);
        visit(value, value);
      } else {
        visit(read_number(a, i), read_number(b, i));
      }
    }
  }
}

bool both_same_special(double a, double b) { return (std::isnan(a) && std::isnan(b)) || a == b; }

}  // namespace

namespace {

/// A Difference with sums in the place of means, so that parts can be joined.
struct Tally {
  Difference d;
  double squares = 0, dot = 0, norm_a = 0, norm_b = 0;

  void add(double a, double b) {
    ++d.elements;
    if (std::isfinite(b)) d.range = std::max(d.range, std::abs(b));
    if (!std::isfinite(a) || !std::isfinite(b)) {
      if (both_same_special(a, b)) return;
      ++d.different;
      d.max_abs = d.max_rel = squares = std::numeric_limits<double>::infinity();
      return;
    }
    const double error = std::abs(a - b);
    if (error > 0) ++d.different;
    d.max_abs = std::max(d.max_abs, error);
    if (b != 0) d.max_rel = std::max(d.max_rel, error / std::abs(b));
    squares += error * error;
    dot += a * b;
    norm_a += a * a;
    norm_b += b * b;
  }

  void add(const Tally& part) {
    d.max_abs = std::max(d.max_abs, part.d.max_abs);
    d.max_rel = std::max(d.max_rel, part.d.max_rel);
    d.range = std::max(d.range, part.d.range);
    d.elements += part.d.elements;
    d.different += part.d.different;
    squares += part.squares;
    dot += part.dot;
    norm_a += part.norm_a;
    norm_b += part.norm_b;
  }

  Difference finish() {
    if (d.elements > 0) d.rms = std::sqrt(squares / static_cast<double>(d.elements));
    d.cosine = norm_a > 0 && norm_b > 0 ? dot / std::sqrt(norm_a * norm_b) : (norm_a == norm_b ? 1 : 0);
    return d;
  }
};

/// Eight sums side by side on every machine. Whether products and sums are fused changes nothing: only numbers that are f32
/// are multiplied, which is exact in f64. So the bits are the same everywhere.
using Doubles [[gnu::vector_size(64)]] = double;
using Floats [[gnu::vector_size(32)]] = float;

/// Numbers that are all finite; false if one is not.
[[gnu::target_clones("avx512f", "avx2", "default")]] bool tally_finite(const float* a, const float* b, std::int64_t count, Tally& tally) {
  Doubles range{}, max_abs{}, max_rel{}, squares{}, dot{}, norm_a{}, norm_b{}, different{};
  const Doubles zero{}, one = zero + 1;
  for (std::int64_t i = 0; i < count; i += 8) {
    Floats few_a{}, few_b{};  // zeros behind the end change nothing
    const auto bytes = static_cast<std::size_t>(std::min<std::int64_t>(8, count - i)) * sizeof(float);
    std::memcpy(&few_a, a + i, bytes);
    std::memcpy(&few_b, b + i, bytes);
    const Doubles x = __builtin_convertvector(few_a, Doubles), y = __builtin_convertvector(few_b, Doubles);
    const Doubles difference = x - y, error = difference < zero ? -difference : difference, size = y < zero ? -y : y;
    const Doubles relative = size > zero ? error / size : zero;
    range = size > range ? size : range;
    max_abs = error > max_abs ? error : max_abs;
    max_rel = relative > max_rel ? relative : max_rel;
    different += error > zero ? one : zero;
    const Doubles rounded = __builtin_convertvector(__builtin_convertvector(error, Floats), Doubles);
    squares += rounded * rounded;
    dot += x * y;
    norm_a += x * x;
    norm_b += y * y;
  }
  double changed = 0;
  for (int lane = 0; lane < 8; ++lane) {
    tally.d.range = std::max(tally.d.range, range[lane]);
    tally.d.max_abs = std::max(tally.d.max_abs, max_abs[lane]);
    tally.d.max_rel = std::max(tally.d.max_rel, max_rel[lane]);
    changed += different[lane];
    tally.squares += squares[lane];
    tally.dot += dot[lane];
    tally.norm_a += norm_a[lane];
    tally.norm_b += norm_b[lane];
  }
  if (!std::isfinite(tally.norm_a + tally.norm_b)) return false;  // squares of f32 numbers are finite in f64
  tally.d.elements = count;
  tally.d.different = static_cast<std::int64_t>(changed);
  return true;
}

/// The usual case: pieces of one size on all threads, joined in order, so that sums do not depend on the threads.
Tally tally_f32(const float* a, const float* b, std::int64_t count) {
  constexpr std::int64_t kPiece = 1 << 16;
  const std::int64_t pieces = (count + kPiece - 1) / kPiece;
  std::vector<Tally> parts(static_cast<std::size_t>(pieces));
#pragma omp parallel for schedule(static) if (pieces > 1)
  for (std::int64_t p = 0; p < pieces; ++p) {
    const std::int64_t begin = p * kPiece, end = std::min(count, begin + kPiece);
    Tally tally;
    if (!tally_finite(a + begin, b + begin, end - begin, tally)) {
      tally = Tally();
      for (std::int64_t i = begin; i < end; ++i) tally.add(static_cast<double>(a[i]), static_cast<double>(b[i]));
    }
    parts[static_cast<std::size_t>(p)] = tally;
  }
  Tally whole;
  for (const Tally& part : parts) whole.add(part);
  return whole;
}

}  // namespace

Result<Difference> compare_tensors(const Tensor& actual, const Tensor& expected) {
  FOVEA_RETURN_IF_ERROR(check_alike(actual, expected));
  if (actual.type() == DataType::f32) return tally_f32(actual.data<float>(), expected.data<float>(), actual.elements()).finish();
  Tally tally;
  for_each_pair(actual, expected, [&](double a, double b) { tally.add(a, b); });
  return tally.finish();
}

Status expect_close(const Datum& actual, const Datum& expected, double rtol, double atol) {
  if (actual.kind != expected.kind) return invalid_argument("expected another kind of value (tensor, sequence or nothing)");
  if (expected.kind == Datum::Kind::None) return {};
  if (expected.kind == Datum::Kind::Sequence) {
    if (actual.items->size() != expected.items->size()) return invalid_argument("expected ", expected.items->size(), " items, found ", actual.items->size());
    for (std::size_t i = 0; i < expected.items->size(); ++i) {
      FOVEA_RETURN_IF_ERROR(expect_close((*actual.items)[i], (*expected.items)[i], rtol, atol).with_context("item " + std::to_string(i)));
    }
    return {};
  }
  FOVEA_RETURN_IF_ERROR(check_alike(actual.tensor, expected.tensor));
  const DataType type = expected.tensor.type();
  const bool exact = !is_floating(type) && type != DataType::c64 && type != DataType::c128;
  std::int64_t index = 0, first = -1, mismatches = 0;
  double found = 0, wanted = 0;
  for_each_pair(actual.tensor, expected.tensor, [&](double a, double b) {
    const bool close = both_same_special(a, b) || (!exact && std::isfinite(a) && std::isfinite(b) && std::abs(a - b) <= atol + rtol * std::abs(b));
    if (!close && mismatches++ == 0) first = index, found = a, wanted = b;
    ++index;
  });
  if (mismatches == 0) return {};
  return invalid_argument(mismatches, " of ", index, " elements differ; first at ", first, ": expected ", wanted, ", found ", found);
}

}  // namespace fovea
