// SPDX-License-Identifier: Apache-2.0
// Comparison of a tensor with its reference: the figures of `fovea compare`, the certificate and conformance.
#pragma once

#include <string>

#include "base/check.h"
#include "base/datum.h"

namespace fovea {

struct Difference {
  double max_abs = 0;      ///< max |a - b|; infinity when NaNs or infinities stand in different places
  double max_rel = 0;      ///< max |a - b| / |b| over b != 0
  double rms = 0;
  double cosine = 1;
  double range = 0;        ///< max |b| over finite b
  std::int64_t elements = 0, different = 0;  ///< different: a != b
};

/// Types and shapes must agree (InvalidArgument says what differs). Strings and bools count as 0 or 1 apart.
Result<Difference> compare_tensors(const Tensor& actual, const Tensor& expected);

/// Element-wise |a - b| <= atol + rtol * |b| (floats; equal NaNs and infinities match), equality for all else;
/// sequences item by item. The Status names the first mismatch.
Status expect_close(const Datum& actual, const Datum& expected, double rtol, double atol);

}  // namespace fovea
