// SPDX-License-Identifier: Apache-2.0
// judge(): whether a kernel's output may pass for the reference's. Builds and the tests of kernels ask the same question.
#pragma once

#include "compiler/compare.h"
#include "compiler/term_sizes.h"

namespace fovea::compiler {

struct Verdict {
  Difference difference;
  double limit = 0;        ///< of the largest error; where every element has its own limit, the smallest of those that were needed
  bool by_terms = false;   ///< each element was judged by its own terms, because the output's range is too small a measure of them
  Status status;           ///< why the kernel is refused
};

/// Judges output `o` of a kernel; both buffers are laid out as the problem says. The size of the terms is first taken to be the
/// range of the output, which is never larger; only where that does not suffice the terms themselves are looked at, and `input`
/// is called. Booleans and integers must be equal except where rounding beforehand may tip them.
Result<Verdict> judge(const Problem& problem, const InputReader& input, int o, const void* actual, const void* expected);

}  // namespace fovea::compiler
