// SPDX-License-Identifier: Apache-2.0
#include "compiler/judge.h"

#include <cmath>
#include <limits>

#include "base/layout_copy.h"
#include "base/number_reader.h"
#include "compiler/error_limit.h"

namespace fovea::compiler {

namespace {

/// The elements in memory, in an order that depends on the descriptor alone.
Result<Tensor> elements_of(const TensorDesc& desc, const void* address) {
  if (desc.is_dense() && block_of(desc.layout) == 1) return Tensor::borrow(desc.type, {desc.shape.elements()}, const_cast<void*>(address));
  return plain_copy(desc, address);
}

/// Each element within its own limit.
Result<Verdict> judge_elements(const TensorDesc& desc, const void* actual_data, const void* expected_data, const Tensor& limits, Verdict verdict) {
  FOVEA_ASSIGN(const Tensor actual, plain_copy(desc, actual_data));
  FOVEA_ASSIGN(const Tensor expected, plain_copy(desc, expected_data));
  verdict.by_terms = true;
  double needed = std::numeric_limits<double>::infinity();
  for (std::int64_t i = 0; i < expected.elements(); ++i) {
    const double a = read_number(actual, i), e = read_number(expected, i), limit = limits.data<double>()[i], error = std::fabs(a - e);
    if (error == 0 || (std::isnan(a) && std::isnan(e)) || a == e) continue;
    if (!(error <= limit)) {
      verdict.limit = limit;
      verdict.status = invalid_argument("element ", i, " is ", a, ", expected ", e, ": the error ", error, " is over the limit ", limit, " of its terms");
      return verdict;
    }
    if (error > verdict.limit) needed = std::min(needed, limit);
  }
  if (std::isfinite(needed)) verdict.limit = needed;
  return verdict;
}

/// A quantised value is found by three roundings in f32 (scales, product, zero point) of numbers up to 2^8, and falls to the
/// other side of a tie where one of them may cross it. So many of `elements` do with a probability above kFalseAlarm when
/// values lie anywhere between ties (Bernstein's bound on the number of rare events).
double most_tipped(std::int64_t elements) {
  const double share = 2 * 3 * 0x1p8 * 0x1p-24, expected = share * static_cast<double>(elements), logarithm = -std::log(kFalseAlarm);
  return expected + logarithm / 3 + std::sqrt(logarithm * logarithm / 9 + 2 * expected * logarithm);
}

}  // namespace

Result<Verdict> judge(const Problem& problem, const InputReader& input, int o, const void* actual_data, const void* expected_data) {
  const TensorDesc& desc = problem.outputs[static_cast<std::size_t>(o)];
  FOVEA_ASSIGN(const Tensor actual, elements_of(desc, actual_data));
  FOVEA_ASSIGN(const Tensor expected, elements_of(desc, expected_data));
  Verdict verdict;
  FOVEA_ASSIGN(verdict.difference, compare_tensors(actual, expected));
  const Difference& d = verdict.difference;
  const ErrorTerms terms = error_terms(problem);
  if (!is_floating(desc.type)) {
    const bool quantised = size_of(desc.type) == 1 && desc.type != DataType::boolean && !terms.exact;
    if (d.different == 0) return verdict;
    if (quantised && d.max_abs <= 1 && static_cast<double>(d.different) <= most_tipped(d.elements)) {
      verdict.limit = 1;
      return verdict;
    }
  } else {
    verdict.limit = terms.exact ? 0 : (relative_bound(terms, desc.type, d.elements) + 2 * unit_roundoff(desc.type)) * d.range;
    if (d.max_abs <= verdict.limit) return verdict;
  }
  if (!terms.exact && std::isfinite(d.max_abs)) {
    FOVEA_ASSIGN(const Tensor plain, plain_copy(desc, expected_data));
    FOVEA_ASSIGN(const auto limits, element_limits(problem, input, o, plain));
    if (limits) return judge_elements(desc, actual_data, expected_data, *limits, std::move(verdict));
  }
  if (is_floating(desc.type)) {
    verdict.status = invalid_argument("max error ", d.max_abs, " of output ", o, " is over the limit ", verdict.limit, " (range ", d.range, ")");
  } else {
    verdict.status = invalid_argument(d.different, " of ", d.elements, " elements of output ", o, " differ");
  }
  return verdict;
}

}  // namespace fovea::compiler
