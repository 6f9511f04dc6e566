// SPDX-License-Identifier: Apache-2.0
// Parameters of DFT. The last axis of input and output holds 1 (real) or 2 (real, imaginary) numbers.
#pragma once

#include "base/attributes.h"
#include "base/check.h"

namespace fovea::ops {

struct DftParams {
  bool inverse = false;
  bool onesided = false;  ///< forward: only bins 0..length/2 are written; inverse: only those are read, the signal is real

  static DftParams parse(const Attributes& attributes) {
    return {attributes.get_int("inverse", 0) != 0, attributes.get_int("onesided", 0) != 0};
  }
  std::int64_t numbers_out() const { return inverse && onesided ? 1 : 2; }
};

/// axis in [-rank, -2] or [0, rank - 2].
Result<int> dft_axis(std::int64_t axis, int rank);

}  // namespace fovea::ops
